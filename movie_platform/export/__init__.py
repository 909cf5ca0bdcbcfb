"""What leaves the platform in another tool's form."""
