"""What the build loop (`reports/site.py`) calls: assets, pages of episodes, and what is kept for the next build."""
