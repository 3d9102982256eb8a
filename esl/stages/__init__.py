"""One module per workflow stage: flags -> read inputs -> call the library -> write outputs."""
