"""The page: one file a panel. `page.build_page(settings, preset, store)` is the way in."""
