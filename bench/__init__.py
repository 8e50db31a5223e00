"""Speed of Holdall against the raw driver, hand-written code and its peers, measured in one run.

Run it from the project's folder with `python -m bench`; `python -m bench --help` lists the options. Only ratios between contestants of
the same run mean anything: absolute times depend on the machine and on what else it does.
"""
