"""Triage of Chinese appeals: category, kind, emergency, place, entities."""
