//! Journeys that only run against a stack on AWS or on its emulator.

mod dead_letters;
mod function_events;
mod killed_function;
