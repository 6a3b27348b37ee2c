# Runs the application and restarts the board when it fails. `/dev` (hedgerow dev) leaves the prompt to a person.
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
    from hedgenode import app

    app.main()
