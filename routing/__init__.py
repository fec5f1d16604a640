"""Routing: the dispatch directory, emergencies and 110, agents and queues."""
