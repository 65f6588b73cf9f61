"""python -m gaokerena"""

if __name__ == "__main__":  # worker processes import this file too, and need nothing of it
    from gaokerena.engines.threads import calm

    calm()

    from gaokerena import logs
    from gaokerena.cli import main

    logs.set_up()
    main()
