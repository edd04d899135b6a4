"""Parts of the demonstration; `openlfr.cli.demo` calls these parts in order.

`faces` makes a folder of people from scikit-image's and insightface's sample pictures. `folder`
creates or empties the demonstration's folder, `steps` prints the steps, and `compare` compares a
run's alerts with the truth. `city` is the city-wide demonstration.
"""
