"""Sites and their routers, as the lab plays them."""
