//! Keys: found in the right place, shown nowhere.

use std::fs;

use status_validator::settings::{Settings, SourceSettings};

use super::{Fixture, MINIMAL, OFF, explained, key};

#[test]
fn secrets_appear_nowhere() {
    const SECRET: &str = "topsecret-0123456789";
    let inline = format!("[llm.providers.1]\nmodel = \"m\"\napi_key = \"{SECRET}\"\n");
    let settings = Fixture::toml(&[MINIMAL, &inline]).loaded();
    assert_eq!(key(&settings, 0), SECRET);
    assert!(settings.warnings().iter().any(|warning| warning.contains("llm.providers.1.api_key")));
    assert_eq!(
        explained(&settings, "llm.providers.1.api_key"),
        "llm.providers.1.api_key = ***  (Settings.toml:10:1)"
    );
    let everything = format!("{settings:?}{:?}{:?}", settings.explain(), settings.warnings());
    assert!(!everything.contains(SECRET), "{everything}");

    // In a broken line, under a misspelt key, in the wrong line, and through variables and flags.
    for broken in [
        format!("[llm.providers.1]\nmodel = \"m\"\napi_key = \"{SECRET}\nname = 1\n"),
        format!("[llm.providers.1]\nmodel = \"m\"\napi_kee = \"{SECRET}\"\n"),
        format!("[llm.providers.1]\nmodel = \"m\"\napi_key_env = \"{SECRET}\"\n"),
        format!("[llm.providers.1]\nmodel = \"m\"\napi_key = \"ключ {SECRET}\"\n"),
        format!("[llm.providers.1]\nmodel = \"m\"\nbase_url = \"https://me:{SECRET}@example.org\"\n"),
        format!("[llm.providers.1]\nmodel = \"m\"\napi_key = [\"{SECRET}\"]\n"),
    ] {
        let fixture = Fixture::toml(&[MINIMAL, &broken]);
        let error = fixture.error();
        assert!(!format!("{error}{error:?}{:?}", fixture.sources).contains(SECRET), "{error}");
    }
    let fixture = Fixture::toml(&[MINIMAL, "[llm.providers.1]\nmodel = \"m\"\nbase_url_env = \"URL_1\"\n"])
        .env("URL_1", &format!("https://me:{SECRET}@example.org"))
        .env("SV_LLM__PROVIDERS__1__API_KEE", SECRET)
        .with("llm.providers.1.api_key_env", SECRET);
    let error = fixture.error();
    assert!(error.problems().len() >= 2, "{error}");
    assert!(!format!("{error}{error:?}{:?}", fixture.sources).contains(SECRET), "{error}");
}

#[test]
fn the_first_place_that_has_the_key_counts() {
    let provider = "[llm.providers.1]\nmodel = \"m\"\napi_key = \"inline\"\napi_key_env = \"KEY_1\"\n\
                    api_key_file = \"key.txt\"\napi_key_credential = \"openai\"\n";
    let fixture = Fixture::toml(&[MINIMAL, provider]);
    assert_eq!(key(&fixture.loaded(), 0), "inline");
    let fixture = fixture.env("KEY_1", "variable");
    assert_eq!(key(&fixture.loaded(), 0), "variable");
    let fixture = fixture.file("key.txt", "file\r\n");
    assert_eq!(key(&fixture.loaded(), 0), "file");
    let folder = fixture.path("credentials").display().to_string();
    let fixture = fixture.file("credentials/openai", "credential\n").env("CREDENTIALS_DIRECTORY", &folder);
    assert_eq!(key(&fixture.loaded(), 0), "credential");
    // Whoever overrides the settings is not overruled by a place that stands first in the file.
    let settings = fixture.env("KEY_2", "other").with("llm.providers.1.api_key_env", "KEY_2").loaded();
    assert_eq!(key(&settings, 0), "other");
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::toml(&[MINIMAL, "[llm.providers.1]\nmodel = \"m\"\napi_key_file = \"key.txt\"\n"])
        .file("key.txt", "secret\n");
    for (mode, warned) in [(0o644, true), (0o600, false)] {
        fs::set_permissions(fixture.path("key.txt"), fs::Permissions::from_mode(mode)).unwrap();
        let warnings = fixture.loaded().warnings().join("\n");
        assert_eq!(warnings.contains("can be read by other users"), warned, "{warnings}");
    }
}

#[test]
fn only_a_model_on_this_machine_goes_without_a_key() {
    let fixture = Fixture::toml(&[
        MINIMAL,
        "[llm.providers.1]\nmodel = \"m\"\nbase_url = \"http://127.0.0.1:8080/v1/\"\n",
    ]);
    let settings = fixture.loaded();
    assert!(settings.llm.providers[0].api_key.is_none());
    assert_eq!(settings.llm.providers[0].base_url, "http://127.0.0.1:8080/v1");
    let error = fixture.with("llm.providers.1.base_url", "https://example.org/v1").error().to_string();
    assert!(
        error.contains("llm.providers.1: has no key") && error.contains("llm.enabled = false"),
        "{error}"
    );
}

#[test]
fn nothing_secret_is_needed_when_no_model_is_asked() {
    let provider =
        "[llm.providers.1]\nmodel_env = \"MODEL_1\"\napi_key_file = \"missing\"\nbase_url_env = \"URL_1\"\n";
    let settings = Fixture::toml(&[MINIMAL, OFF, provider]).loaded();
    assert!(settings.llm.providers.is_empty() && settings.warnings().is_empty(), "{:?}", settings.warnings());
}

#[test]
fn everything_that_is_not_set_is_named_at_once() {
    let provider = "[llm.providers.1]\nmodel_env = \"MODEL_1\"\napi_key_env = \"KEY_1\"\n";
    let error = Fixture::toml(&[MINIMAL, provider]).error();
    let text = error.to_string();
    assert!(text.contains("llm.providers.1.model_env = \"MODEL_1\": the variable is not set"), "{text}");
    assert!(text.contains("no key: the variable \"KEY_1\" is not set"), "{text}");
    assert_eq!(error.problems().len(), 2, "{text}");
}

#[test]
fn the_google_key_is_found_where_it_may_be() {
    let google = "rules_text = \"x\"\n[columns]\nstatus = \"S\"\ncomment = \"C\"\n[llm]\nenabled = false\n[sheets]\n\
                  source_spreadsheet_id = \"s\"\nsource_sheet_name = \"S\"\ntarget_spreadsheet_id = \"t\"\n\
                  target_sheet_name = \"T\"\n";
    let file = |settings: Settings| match settings.source {
        SourceSettings::Google(source) => source.access.credentials_file,
        SourceSettings::File(file) => panic!("{file:?}"),
    };
    let error = Fixture::toml(&[google]).error().to_string();
    assert_eq!(error.matches("sheets.credentials_file: is missing").count(), 1, "{error}");
    let fixture = Fixture::toml(&[google]).env("GOOGLE_APPLICATION_CREDENTIALS", "/keys/adc.json");
    assert_eq!(file(fixture.loaded()).to_str(), Some("/keys/adc.json"));
    let named = format!("{google}credentials_file = \"sa.json\"\n");
    let fixture = Fixture::toml(&[&named]).env("GOOGLE_APPLICATION_CREDENTIALS", "/keys/adc.json");
    assert_eq!(file(fixture.loaded()), fixture.path("sa.json"));
    let credential = format!("{named}credentials_credential = \"google-sa\"\n");
    let fixture = Fixture::toml(&[&credential]);
    let error = fixture.error().to_string();
    assert_eq!(error.matches("CREDENTIALS_DIRECTORY is not set").count(), 1, "{error}");
    let fixture = fixture.env("CREDENTIALS_DIRECTORY", "/run/credentials/sv");
    assert_eq!(file(fixture.loaded()).to_str(), Some("/run/credentials/sv/google-sa"));
}

#[cfg(unix)]
#[test]
fn a_google_key_that_others_can_read_is_warned_of_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let google = "rules_text = \"x\"\n[columns]\nstatus = \"S\"\ncomment = \"C\"\n[llm]\nenabled = false\n[sheets]\n\
                  source_spreadsheet_id = \"s\"\nsource_sheet_name = \"S\"\ntarget_spreadsheet_id = \"t\"\n\
                  target_sheet_name = \"T\"\ncredentials_file = \"sa.json\"\n";
    let fixture = Fixture::toml(&[google]).file("sa.json", "{}");
    let warned = |mode| {
        fs::set_permissions(fixture.path("sa.json"), fs::Permissions::from_mode(mode)).unwrap();
        fixture.loaded().warnings().iter().filter(|text| text.contains("can be read by other users")).count()
    };
    assert_eq!((warned(0o640), warned(0o600)), (1, 0));
}
