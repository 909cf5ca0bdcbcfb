"""Where the files lie that a deployment is made of: templates, SQL, the Glue job's scripts."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BOOTSTRAP_TEMPLATE = PROJECT / "deploy" / "aws" / "bootstrap.yaml"
TEMPLATE = PROJECT / "deploy" / "aws" / "template.yaml"
SQL_FOLDER = PROJECT / "snowflake"
GLUE_SCRIPTS = PROJECT / "glue_scripts"
