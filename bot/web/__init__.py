"""The doors that vendors knock at."""
