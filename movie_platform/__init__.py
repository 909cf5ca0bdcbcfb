"""Movie Platform: movie data from a source to Snowflake, on AWS or on one laptop.

Importing the package has no side effects and pulls in nothing: the Lambda and the Glue job ship parts of it.
"""

__version__ = "0.2.0"
