"""Channels: pure codecs (bytes → Inbound, Outbound → bytes) and thin adapters over them."""
