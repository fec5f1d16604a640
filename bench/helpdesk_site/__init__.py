"""A Django site with django-helpdesk, as its manual installs it. Runs in the peers' own environment, never in ours."""
