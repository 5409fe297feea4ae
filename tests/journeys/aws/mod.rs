//! Journeys that only run against a stack on AWS or on its emulator.

mod data_key_rotation;
mod dead_letters;
mod function_events;
mod killed_function;
mod provider_sign_in;
