"""Models in a store (s3://, gs:// and others), mirrored into a local directory that a repository is loaded from.

`address` tells stores from directories, `shelf` sorts what a store lists, `planning` decides what to fetch and what to
hide, `store` reads by one of the `libraries`, `mirror` keeps the directory, `beside` what lies there beside versions,
`follower` does a round of all this, `keeper` polls and tells.
"""
