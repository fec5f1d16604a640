"""The agents' console: protocol, session and WebSocket gateway."""
