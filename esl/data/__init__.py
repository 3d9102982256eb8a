"""What there is to loop over: one module per on-disk format, all behind the contract of ``formats``."""
