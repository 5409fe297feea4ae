//! The `loanhook` command line.

fn main() {}
