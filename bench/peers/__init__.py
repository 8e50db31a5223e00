"""The libraries Holdall is compared with, one module each, none imported until a scenario needs it. See `bench.protocols`."""
