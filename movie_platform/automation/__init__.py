"""When things run: jobs, the schedule, the sensors and the alerts. The decisions are pure functions."""
