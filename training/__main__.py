"""python -m training"""

from gaokerena.engines.threads import calm

calm()

from training.cli import main  # noqa: E402

main()
