"""What apps print: kept on disk, bounded, and streamed to who follows."""
