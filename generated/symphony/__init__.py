"""The contract, compiled by `make generate`; never edited."""
