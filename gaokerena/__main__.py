"""python -m gaokerena"""

from gaokerena.engines.threads import calm

calm()

from gaokerena.cli import main  # noqa: E402

main()
