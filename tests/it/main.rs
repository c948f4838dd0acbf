
mod settings;
