"""Where a run is shown beside its folder."""
