# Runs the application and restarts the board when it fails. `/dev` (hedgerow dev) leaves the prompt to a person.
import gc
import os


def _in_dev_mode():
    try:
        os.stat("/dev")
        return True
    except OSError:
        return False


if _in_dev_mode():
    print("Hedgerow: dev mode, the application is off until this board is power-cycled.")
else:
    # Loading a module leaves a hole where its file buffer was. Collecting often lets the next module fill it: the
    # largest free stretch of a small heap afterwards is four times what it is without.
    gc.threshold(4096)
    from hedgenode import app

    gc.threshold(16384)
    app.main()
