"""Run tags: how a run says which bundle it is about, so that nobody processes the same bundle twice."""

SOURCE = "movie_platform/source"
BATCH_ID = "movie_platform/batch_id"
# The landing key of the bundle that the run processes, all the way to the warehouse.
BUNDLE_KEY = "movie_platform/bundle"
# The ETag of that object: a key may be written again with other content.
BUNDLE_ETAG = "movie_platform/bundle_etag"
# The landing key of a bundle that the run put there, whether or not it goes on to process it.
LANDED_KEY = "movie_platform/landed"
ATTEMPT = "movie_platform/attempt"
# How a run about a bundle ended where trying again cannot help.
OUTCOME = "movie_platform/outcome"
OUTCOME_QUARANTINED = "quarantined"
# The process that works on the run.
RUN_OWNER = "movie_platform/worker"
