"""`movie-platform bench`: each stage's speed and memory beside bare tools and the naive way, on the same films.

`run_benchmark` is the entry, `arrivals.measure_ticks` that of the sensor's figures. Nothing else of the platform
imports this package. Import the modules themselves: what they need takes seconds to load.
"""
