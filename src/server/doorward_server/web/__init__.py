"""The pages that browsers see: logging in and out on the apps' own hosts, and the console."""
