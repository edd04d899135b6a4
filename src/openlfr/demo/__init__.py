"""The demonstration's own parts: photos that installed packages carry, its folder, the truth.

`faces` makes a folder of people from scikit-image's and insightface's sample pictures, `folder`
keeps the demonstration from wiping anything that is not its own, and `compare` says what a run
found of what was there. `openlfr.cli.demo` puts them in order.
"""
