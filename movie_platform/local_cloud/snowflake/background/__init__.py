"""What works by itself: Snowpipe's workers and the scheduler that runs task graphs."""
