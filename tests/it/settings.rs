//! Settings through the public API: layers, all problems at once, secrets, and the predecessor's file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod secrets;

use std::fs;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use status_validator::domain::language::Language;
use status_validator::settings::{
    FileKind, Origin, PromptCacheMark, RulesSource, Settings, SettingsError, SettingsSources, SourceSettings,
    TargetSettings,
};
use tempfile::TempDir;

/// A settings file in a folder of its own, and the sources to load it by.
struct Fixture {
    folder: TempDir,
    sources: SettingsSources,
}

const MINIMAL: &str = r#"
rules_text = "be clear"
[source]
path = "in.csv"
[columns]
status = "Status"
comment = "Comment"
"#;

const OFF: &str = "[llm]\nenabled = false\n";

impl Fixture {
    fn new(name: &str, text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), text).unwrap();
        let cwd = folder.path().to_owned();
        Self {
            folder,
            sources: SettingsSources { config: Some(name.into()), cwd, ..SettingsSources::default() },
        }
    }

    fn toml(parts: &[&str]) -> Self {
        Self::new("Settings.toml", parts.concat())
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.sources.env.push((name.into(), value.into()));
        self
    }

    fn with(mut self, key: &str, value: &str) -> Self {
        self.sources.overrides.push((key.into(), value.into()));
        self
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn load(&self) -> Result<Settings, SettingsError> {
        Settings::load_from(&self.sources)
    }

    fn loaded(&self) -> Settings {
        self.load().unwrap_or_else(|error| panic!("{error}"))
    }

    fn error(&self) -> SettingsError {
        self.load().expect_err("these settings must not load")
    }
}

fn key(settings: &Settings, provider: usize) -> String {
    settings.llm.providers[provider].api_key.as_ref().unwrap().expose_secret().to_owned()
}

fn explained(settings: &Settings, key: &str) -> String {
    settings.explain().iter().find(|line| line.key == key).unwrap().to_string()
}

fn manifest(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn how_prompts_are_marked_is_a_matter_of_each_provider() {
    let provider = "[llm.providers.1]\nmodel = \"m\"\nbase_url = \"http://127.0.0.1:1/v1\"\n";
    for (line, expected) in [
        ("", PromptCacheMark::Auto),
        ("prompt_cache = \"auto\"\n", PromptCacheMark::Auto),
        ("prompt_cache = \"breakpoint\"\n", PromptCacheMark::Breakpoint),
        ("prompt_cache = \"cache_control\"\n", PromptCacheMark::CacheControl),
        ("prompt_cache = \"off\"\n", PromptCacheMark::Off),
    ] {
        let settings = Fixture::toml(&[MINIMAL, provider, line]).loaded();
        assert_eq!(settings.llm.providers[0].prompt_cache, expected, "{line}");
    }
}

#[test]
fn the_predecessors_example_loads_unchanged() {
    let text = fs::read_to_string(manifest("tests/fixtures/config.example.yaml")).unwrap();
    let settings = Fixture::new("config.yaml", &text)
        .env("OPENAI_MODEL_1", "gpt-4o")
        .env("OPENAI_API_KEY_1", "sk-one")
        .env("OPENAI_MODEL_2", "gpt-4o-mini")
        .env("OPENAI_API_KEY_2", "sk-two")
        .env("OPENAI_BASE_URL_2", "https://openrouter.ai/api/v1/");
    let folder = settings.path("");
    let settings = settings.loaded();

    let (SourceSettings::Google(source), TargetSettings::Google(target)) =
        (&settings.source, &settings.target)
    else {
        panic!("Google Sheets is source and target");
    };
    assert_eq!(source.spreadsheet_id, "0".repeat(43));
    assert_eq!(target.spreadsheet_id, "1".repeat(43));
    assert_eq!((source.sheet_name.as_str(), source.sheet_gid), ("Statuses", Some(0)));
    assert_eq!(source.access.credentials_file, Path::new("/absolute/path/to/service-account.json"));
    assert_eq!(target.rules_sheet_name.as_deref(), Some("Rules"));
    assert_eq!(settings.allowed_statuses, ["On Track", "At Risk", "Delayed"]);
    assert_eq!((settings.rows.header_row, settings.rows.data_start_row), (1, 2));
    assert!(matches!(&settings.rules, RulesSource::Text(text) if text.starts_with("Paste the rulebook")));
    assert_eq!(settings.cache_path, folder.join("build/status_cache.sqlite"));
    assert_eq!((settings.llm.max_workers, settings.queue_depth), (5, 10));
    let [first, second] = settings.llm.providers.as_slice() else { panic!("two providers") };
    assert_eq!((first.name.as_str(), first.model.as_str()), ("primary", "gpt-4o"));
    assert_eq!((first.max_output_tokens, first.reasoning_enabled), (10_000, true));
    assert_eq!(first.base_url, "https://api.openai.com/v1");
    assert_eq!(
        (second.name.as_str(), second.base_url.as_str()),
        ("fallback", "https://openrouter.ai/api/v1")
    );
    assert_eq!((key(&settings, 0), key(&settings, 1)), ("sk-one".into(), "sk-two".into()));
    assert!(settings.warnings().iter().any(|w| w.contains("OPENAI_BASE_URL_1")), "{:?}", settings.warnings());
}

#[test]
fn looking_at_settings_needs_no_secrets() {
    let text = fs::read_to_string(manifest("tests/fixtures/config.example.yaml")).unwrap();
    let mut fixture = Fixture::new("config.yaml", text);
    assert!(fixture.error().to_string().contains("OPENAI_MODEL_1"));
    fixture.sources.inspect = true;
    let settings = fixture.loaded();
    assert!(explained(&settings, "llm.max_workers").contains('5'));
    assert!(settings.warnings().iter().any(|warning| warning.contains("llm.providers.1.model_env")));
    assert!(settings.llm.providers.is_empty());
}

#[test]
fn a_fallback_that_is_not_set_up_is_left_out_but_a_half_set_one_is_not() {
    let text = fs::read_to_string(manifest("tests/fixtures/config.example.yaml")).unwrap();
    let fixture =
        Fixture::new("config.yaml", &text).env("OPENAI_MODEL_1", "gpt-4o").env("OPENAI_API_KEY_1", "sk-one");
    let settings = fixture.loaded();
    assert_eq!(settings.llm.providers.len(), 1);
    assert!(settings.warnings().iter().any(|w| w.contains("fallback") && w.contains("OPENAI_API_KEY_2")));

    let error = fixture.env("OPENAI_MODEL_2", "gpt-4o-mini").error().to_string();
    assert!(
        error.contains("llm.providers.2.api_key: no key: the variable \"OPENAI_API_KEY_2\" is not set"),
        "{error}"
    );
}

#[test]
fn all_problems_come_at_once_each_with_its_line() {
    let error = Fixture::new(
        "bad.yaml",
        "columns:\n  stauts: Status\n  comment: Comment\nrules_text: be clear\nllm:\n  max_workers: \"5\"\n  \
         max_worker: 5\n  providers:\n    1:\n      model: m\n      api_key_env: KEY_1\n    3:\n      temperature: 9\n\
         header_row: 3\nlanguage: de\ntimezone: Moscow\n",
    )
    .error();
    let text = error.to_string();
    for wanted in [
        "columns.stauts: unknown key\n  from bad.yaml:2:3\n  hint: did you mean columns.status?",
        "llm.max_workers = \"5\": expected a whole number from 1 to 1000, found a string\n  from bad.yaml:6:3\n  hint: write it without quotes",
        "llm.max_worker: unknown key\n  from bad.yaml:7:3\n  hint: did you mean llm.max_workers?",
        "llm.providers.3: priorities must be consecutive from 1, so 2 is missing before 3\n  from bad.yaml:12:5",
        "llm.providers.3: has neither model nor model_env\n  from bad.yaml:12:5",
        "llm.providers.3.temperature = 9: is out of range, expected a number from 0 to 2\n  from bad.yaml:13:7",
        "llm.providers.1.api_key: no key: the variable \"KEY_1\" is not set",
        "data_start_row = 2: must be greater than header_row = 3\n  from default",
        "language = \"de\": expected en or ru\n  from bad.yaml:15:1",
        "timezone = \"Moscow\": expected a time zone\n  from bad.yaml:16:1",
        "source.path: is missing",
    ] {
        assert!(text.contains(wanted), "{wanted}\n\nis not in\n\n{text}");
    }
    assert_eq!(error.problems().len(), 11, "{text}");
}

#[test]
fn what_is_missing_is_said_with_a_way_out() {
    let error = Fixture::new("empty.toml", "").error().to_string();
    for wanted in [
        "columns.status: is missing",
        "columns.comment: is missing",
        "rules_text: is missing",
        "source.path: is missing",
        "llm.providers: is missing",
        "set llm.enabled = false",
    ] {
        assert!(error.contains(wanted), "{wanted} is not in {error}");
    }
    let both = Fixture::toml(&["rules_file = \"r.toml\"\n", MINIMAL, OFF]).error().to_string();
    assert!(both.contains("rules_file = \"r.toml\": is given together with rules_text"), "{both}");
    let sheets =
        Fixture::toml(&["rules_text = \"x\"\n[columns]\nstatus = \"S\"\ncomment = \"C\"\n[sheets]\n", OFF])
            .error()
            .to_string();
    for key in ["credentials_file", "source_spreadsheet_id", "source_sheet_name", "target_spreadsheet_id"] {
        assert!(sheets.contains(&format!("sheets.{key}: is missing")), "{key}: {sheets}");
    }
}

#[test]
fn files_that_cannot_be_read_are_one_problem() {
    for (name, text, wanted) in [
        ("a.toml", &b"header_row 1\n"[..], "is not TOML"),
        ("a.yaml", b"a: [1\n", "is not YAML"),
        ("a.json", b"{}", "settings are TOML"),
        ("a.toml", b"a = \"\xff\"", "is not UTF-8"),
    ] {
        let error = Fixture::new(name, text).error();
        assert!(error.to_string().contains(wanted), "{error}");
        assert_eq!(error.problems().len(), 1, "{error}");
    }
    let mut fixture = Fixture::toml(&[MINIMAL, OFF]);
    fixture.sources.config = Some("missing.toml".into());
    assert!(fixture.error().to_string().contains("missing.toml cannot be read"));
}

#[test]
fn environment_beats_file_and_overrides_beat_environment() {
    let fixture = Fixture::toml(&[MINIMAL, OFF, "max_workers = 2\n"]);
    assert_eq!(fixture.loaded().llm.max_workers, 2);
    let fixture = fixture.env("SV_LLM__MAX_WORKERS", "8").env("SV_ALLOWED_STATUSES", "[\"A, B\", \"C\"]");
    let settings = fixture.loaded();
    assert_eq!((settings.llm.max_workers, settings.queue_depth), (8, 16));
    assert_eq!(settings.allowed_statuses, ["A, B", "C"]);
    let settings = fixture.with("llm.max_workers", "9").with("as_of", "2026-03-13").loaded();
    assert_eq!(settings.llm.max_workers, 9);
    assert_eq!(settings.as_of, Some(jiff::civil::date(2026, 3, 13)));
    assert_eq!(explained(&settings, "llm.max_workers"), "llm.max_workers = 9  (command line)");
    assert_eq!(explained(&settings, "batch_size"), "batch_size = 10  (default)");
    assert_eq!(explained(&settings, "language"), "language = \"en\"  (default)");
    assert_eq!(explained(&settings, "queue_depth"), "queue_depth is not set");
    assert!(explained(&settings, "columns.status").contains("Settings.toml:6:1"));
}

#[test]
fn wrong_variables_and_flags_are_named() {
    let error = Fixture::toml(&[MINIMAL, OFF])
        .env("SV_LLM__MAX_WORKERS", "five")
        .env("SV_LLM__MAX_WORKER", "5")
        .env("SV_LANGUAGE", "")
        .with("llm.max_retries", "0")
        .with("llm.nonsense", "1")
        .error()
        .to_string();
    for wanted in [
        "llm.max_workers = \"five\": expected a whole number from 1 to 1000, found a text\n  from variable SV_LLM__MAX_WORKERS",
        "llm.max_worker: unknown key\n  from variable SV_LLM__MAX_WORKER",
        "llm.max_retries = 0: is out of range, expected a whole number from 1 to 100\n  from command line",
        "llm.nonsense: unknown key",
    ] {
        assert!(error.contains(wanted), "{wanted} is not in {error}");
    }
    let settings = Fixture::toml(&[MINIMAL, OFF]).env("SV_ZZZ", "1").env("SV_LOG", "debug").loaded();
    assert_eq!(settings.warnings(), ["variable SV_ZZZ is no setting and is ignored"]);
}

#[test]
fn ids_of_digits_stay_as_they_are() {
    let google = "rules_text = \"x\"\n[columns]\nstatus = \"S\"\ncomment = \"C\"\n[sheets]\ncredentials_file = \"a.json\"\n\
                  source_sheet_name = 2026\ntarget_sheet_name = \"T\"\ntarget_spreadsheet_id = \"007\"\n";
    let settings = Fixture::toml(&[google, OFF]).env("SV_SHEETS__SOURCE_SPREADSHEET_ID", "0000123").loaded();
    let SourceSettings::Google(source) = settings.source else { panic!("no Google source") };
    assert_eq!((source.spreadsheet_id.as_str(), source.sheet_name.as_str()), ("0000123", "2026"));
}

#[test]
fn paths_count_from_where_they_were_written() {
    let mut fixture = Fixture::new("unused.toml", "").file("conf/s.toml", &[MINIMAL, OFF].concat());
    fixture.sources.config = Some("conf/s.toml".into());
    let settings = fixture.loaded();
    assert!(matches!(&settings.source, SourceSettings::File(f) if f.path == fixture.path("conf/in.csv")));
    assert!(
        matches!(&settings.target, TargetSettings::File(f) if f.path == fixture.path("conf/review.xlsx"))
    );
    assert_eq!(settings.cache_path, fixture.path("conf/status_validator.sqlite"));

    let settings = fixture
        .env("SV_SOURCE__PATH", "./other.XLSX")
        .env("HOME", "/home/someone")
        .with("cache_path", "~/cache.sqlite")
        .with("target.path", "/tmp/~x.csv");
    let (settings, other) = (settings.loaded(), settings.path("other.XLSX"));
    assert!(
        matches!(&settings.source, SourceSettings::File(f) if f.path == other && f.kind == FileKind::Xlsx),
        "{:?}",
        settings.source
    );
    assert_eq!(settings.cache_path, Path::new("/home/someone/cache.sqlite"));
    assert!(matches!(&settings.target, TargetSettings::File(f) if f.path == Path::new("/tmp/~x.csv")));
}

#[test]
fn a_home_folder_that_is_not_known_is_not_guessed() {
    let error = Fixture::toml(&[MINIMAL, OFF]).with("cache_path", "~/cache.sqlite").error().to_string();
    assert!(error.contains("cache_path = \"~/cache.sqlite\": has a ~, but HOME is not set"), "{error}");
}

#[test]
fn dotenv_files_fill_in_what_the_environment_leaves_open() {
    let provider = "[llm.providers.1]\nmodel_env = \"MODEL_1\"\napi_key_env = \"KEY_1\"\n";
    let mut fixture = Fixture::new("unused.toml", "")
        .file("conf/s.toml", &[MINIMAL, provider].concat())
        .file(".env", "MODEL_1=current\nSV_LLM__MAX_WORKERS=7\nSV_CACHE_PATH=c.sqlite\n")
        .file("conf/.env", "MODEL_1=beside\nKEY_1='beside key'\n")
        .file("extra.env", "KEY_1=extra\n");
    fixture.sources.config = Some("conf/s.toml".into());
    assert!(fixture.load().is_err(), "without dotenv no .env is read");

    fixture.sources.dotenv = true;
    let error = fixture.error().to_string();
    assert!(error.contains("the variable \"KEY_1\" holds characters that no key has"), "{error}");
    fixture.sources.env_files = vec!["extra.env".into()];
    let settings = fixture.loaded();
    assert_eq!((settings.llm.providers[0].model.as_str(), key(&settings, 0).as_str()), ("current", "extra"));
    assert_eq!((settings.llm.max_workers, &settings.cache_path), (7, &fixture.path("c.sqlite")));
    assert!(explained(&settings, "llm.providers.1.model").contains("variable MODEL_1 in"));
    assert!(std::env::var_os("SV_LLM__MAX_WORKERS").is_none(), "nothing goes into the process environment");

    let settings = fixture.env("MODEL_1", "real").env("SV_LLM__MAX_WORKERS", "3").loaded();
    assert_eq!((settings.llm.providers[0].model.as_str(), settings.llm.max_workers), ("real", 3));
}

#[test]
fn a_named_env_file_must_exist() {
    let mut fixture = Fixture::toml(&[MINIMAL, OFF]);
    fixture.sources.env_files = vec!["missing.env".into()];
    assert!(fixture.error().to_string().contains("missing.env cannot be read"));
}

#[test]
fn a_job_overrides_any_key_and_flags_override_the_job() {
    let jobs = "[jobs.weekly]\nrules_file = \"weekly.toml\"\nlanguage = \"ru\"\n[jobs.weekly.llm]\nmax_workers = 3\n\
                [jobs.weekly.sheets]\ncredentials_file = \"a.json\"\nsource_spreadsheet_id = \"s\"\nsource_sheet_name = \"S\"\n\
                target_spreadsheet_id = \"t\"\ntarget_sheet_name = \"T\"\n[jobs.other.source]\npath = \"other.csv\"\n";
    let fixture = Fixture::toml(&[MINIMAL, OFF, jobs]);
    let base = fixture.loaded();
    assert_eq!((base.job.as_str(), base.language, base.llm.max_workers), ("default", Language::En, 5));
    assert_eq!(base.job_names(), ["other", "weekly"]);
    let weekly = base.job("weekly").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((weekly.job.as_str(), weekly.language, weekly.llm.max_workers), ("weekly", Language::Ru, 3));
    assert!(matches!(weekly.rules, RulesSource::File(_)), "the job's rules replace the common ones");
    assert!(matches!(
        (&weekly.source, &weekly.target),
        (SourceSettings::Google(_), TargetSettings::Google(_))
    ));
    let unknown = base.job("monthly").unwrap_err().to_string();
    assert!(unknown.contains("jobs.monthly: is missing") && unknown.contains("other, weekly"), "{unknown}");

    let mut fixture = fixture.env("SV_JOBS__WEEKLY__BATCH_SIZE", "4").with("llm.max_workers", "9");
    fixture.sources.job = Some("weekly".into());
    let weekly = fixture.loaded();
    assert_eq!((weekly.llm.max_workers, weekly.batch_size), (9, 4));
    let all = Settings::load_jobs(&fixture.sources).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(all.iter().map(|job| job.job.as_str()).collect::<Vec<_>>(), ["other", "weekly"]);
}

#[test]
fn jobs_may_be_all_that_a_file_has() {
    let fixture = Fixture::toml(&[&MINIMAL.replace("[source]", "[jobs.a.source]"), OFF]);
    assert!(fixture.error().to_string().contains("source.path: is missing"));
    assert_eq!(Settings::load_jobs(&fixture.sources).unwrap().len(), 1);
}

#[test]
fn peoples_own_tables_are_never_the_target() {
    let error = Fixture::toml(&[MINIMAL, OFF, "[target]\npath = \"./in.csv\"\n"]).error().to_string();
    assert!(error.contains("target.path = \"./in.csv\": is the source itself"), "{error}");
    let google = "rules_text = \"x\"\n[columns]\nstatus = \"S\"\ncomment = \"C\"\n[sheets]\ncredentials_file = \"a.json\"\n\
                  source_spreadsheet_id = \"s\"\nsource_sheet_name = \"S\"\ntarget_spreadsheet_id = \"s\"\ntarget_sheet_name = \"S\"\n";
    let error = Fixture::toml(&[google, OFF]).error().to_string();
    assert!(error.contains("sheets.target_sheet_name = \"S\": is the source itself"), "{error}");
}

#[test]
fn the_id_of_a_spreadsheet_is_taken_from_its_address_and_nothing_else_is_one() {
    let google = |id: &str| {
        Fixture::toml(&[&format!(
            "rules_text = \"x\"\n[columns]\nstatus = \"S\"\ncomment = \"C\"\n[sheets]\ncredentials_file = \"a.json\"\n\
             source_spreadsheet_id = \"{id}\"\nsource_sheet_name = \"S\"\ntarget_spreadsheet_id = \"{id}\"\n\
             target_sheet_name = \"T\"\n{OFF}"
        )])
    };
    for id in ["1aB-_9", " 1aB-_9 ", "https://docs.google.com/spreadsheets/d/1aB-_9/edit?gid=7#gid=7"] {
        let settings = google(id).loaded();
        assert!(
            matches!(&settings.source, SourceSettings::Google(sheet) if sheet.spreadsheet_id == "1aB-_9")
        );
        assert!(
            matches!(&settings.target, TargetSettings::Google(sheet) if sheet.spreadsheet_id == "1aB-_9")
        );
    }
    for id in ["sandbox?x=1", "a/b", "ключ", "https://elsewhere.example/spreadsheets/d/1aB/edit"] {
        let error = google(id).error().to_string();
        for key in ["source_spreadsheet_id", "target_spreadsheet_id"] {
            assert!(error.contains(&format!("sheets.{key} = \"{id}\": is no id")), "{error}");
        }
        assert!(error.contains("docs.google.com/spreadsheets/d/ID/edit"), "{error}");
    }
}

#[test]
fn other_machines_reach_the_daemon_only_with_a_token() {
    let fixture = Fixture::toml(&[MINIMAL, OFF]).with("serve.listen", "0.0.0.0:80");
    assert!(
        fixture.error().to_string().contains("serve.listen = \"0.0.0.0:80\": would let other machines in")
    );
    assert!(fixture.with("serve.token_file", "token").load().is_ok());
}

#[test]
fn the_reference_settings_check_the_samples_and_are_ready_for_a_model() {
    let sources = |env: &[(&str, &str)]| SettingsSources {
        config: Some(manifest("Settings.toml")),
        env: env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        cwd: std::env::temp_dir(),
        ..SettingsSources::default()
    };
    let settings = Settings::load_from(&sources(&[])).unwrap_or_else(|error| panic!("{error}"));
    assert!(!settings.llm.enabled && settings.warnings().is_empty(), "{:?}", settings.warnings());
    assert!(
        matches!(&settings.source, SourceSettings::File(f) if f.path == manifest("examples/statuses-en.csv"))
    );
    assert!(matches!(&settings.target, TargetSettings::File(f) if f.path == manifest("review.xlsx")));
    assert_eq!(settings.rules, RulesSource::File(manifest("examples/rules-en.toml")));
    assert_eq!(settings.allowed_statuses, ["On Track", "At Risk", "Delayed", "Completed", "On Hold"]);
    assert_eq!(settings.as_of, Some(jiff::civil::date(2026, 3, 13)));

    let asking = sources(&[
        ("SV_LLM__ENABLED", "true"),
        ("OPENAI_API_KEY_1", "sk-1"),
        ("OPENAI_MODEL_1", "m"),
        ("OPENAI_BASE_URL_1", "http://localhost:1234/v1"),
    ]);
    let settings = Settings::load_from(&asking).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(settings.llm.providers.len(), 1);
    assert_eq!(settings.llm.providers[0].base_url, "http://localhost:1234/v1");
    let url = settings.explain().iter().find(|line| line.key == "llm.providers.1.base_url").unwrap();
    assert!(matches!(&url.origin, Some(Origin::Variable { name, .. }) if name == "OPENAI_BASE_URL_1"));
}

#[test]
fn a_cap_without_a_price_is_warned_about() {
    let provider =
        "[llm]\nmax_cost_usd = 1\n[llm.providers.1]\nmodel = \"m\"\nbase_url = \"http://[::1]:80\"\n";
    let fixture = Fixture::toml(&[MINIMAL, provider]);
    assert!(fixture.loaded().warnings()[0].contains("its price is not set"));
    let half = fixture.with("llm.providers.1.price.input", "0.15");
    assert!(half.error().to_string().contains("llm.providers.1.price.output: is missing"));
    let settings = half.with("llm.providers.1.price.output", "0.6").loaded();
    assert!(settings.warnings().is_empty() && settings.llm.providers[0].price.is_some());
}
