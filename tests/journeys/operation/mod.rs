//! What an operator does when something could not be handled.

mod dead_letters;
