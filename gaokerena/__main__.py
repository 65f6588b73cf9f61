"""python -m gaokerena"""

from gaokerena.engines.threads import calm

calm()

from gaokerena import logs  # noqa: E402
from gaokerena.cli import main  # noqa: E402

logs.set_up()
main()
