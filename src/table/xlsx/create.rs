//! A new results workbook: a header, and formats that the rows written below it take up.

use rust_xlsxwriter::{
    ConditionalFormatCell, ConditionalFormatCellRule, Format, FormatAlign, FormatBorder, FormatUnderline,
    IgnoreError, Workbook, Worksheet, XlsxError,
};

use super::MAX_ROWS;
use crate::domain::results::{IsValid, ResultColumn};

/// The bytes of a workbook with one empty results sheet.
pub(super) fn workbook(sheet: &str, columns: &[ResultColumn]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let worksheet = workbook.add_worksheet();
    worksheet.set_name(sheet)?;
    let header = Format::new()
        .set_bold()
        .set_font_color(0xFF_FFFF)
        .set_background_color(0x1F_3864)
        .set_align(FormatAlign::VerticalCenter)
        .set_text_wrap()
        .set_border_bottom(FormatBorder::Thin);
    worksheet.set_row_height(0, 32)?;
    for (at, column) in (0..).zip(columns) {
        worksheet.set_column_width(at, width(*column))?;
        worksheet.set_column_format(at, &format(*column))?;
        worksheet.write_string_with_format(0, at, column.name(), &header)?;
        match column {
            ResultColumn::Key => {
                worksheet.set_column_hidden(at)?;
            }
            ResultColumn::IsValid => colour_words(worksheet, at)?,
            _ => {}
        }
    }
    let last_column = u16::try_from(columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
    worksheet.set_freeze_panes(1, 2)?;
    worksheet.autofilter(0, 0, 0, last_column)?;
    // project codes such as 007 are texts; no green corner need say so
    worksheet.ignore_error_range(0, 0, MAX_ROWS - 1, last_column, IgnoreError::NumberStoredAsText)?;
    worksheet.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0);
    worksheet.set_repeat_rows(0, 0)?;
    workbook.save_to_buffer()
}

const A4: u8 = 9;

/// Characters of the default font.
fn width(column: ResultColumn) -> f64 {
    match column {
        ResultColumn::RowNumber => 9.0,
        ResultColumn::ProjectName | ResultColumn::SourceUrl => 30.0,
        ResultColumn::ProjectManager | ResultColumn::Model | ResultColumn::Key => 20.0,
        ResultColumn::StatusValue | ResultColumn::CompletionDate | ResultColumn::IsValid => 15.0,
        ResultColumn::Comment | ResultColumn::Issues | ResultColumn::RewriteSuggestion => 55.0,
        ResultColumn::RawLlmJson => 14.0,
        ResultColumn::CheckDate => 17.0,
        ResultColumn::Rules => 16.0,
        ResultColumn::Severity => 11.0,
    }
}

fn format(column: ResultColumn) -> Format {
    let format = Format::new().set_align(FormatAlign::Top);
    match column {
        ResultColumn::ProjectName | ResultColumn::SourceUrl => {
            format.set_text_wrap().set_font_color(0x05_63C1).set_underline(FormatUnderline::Single)
        }
        ResultColumn::IsValid => format.set_bold().set_align(FormatAlign::Center),
        ResultColumn::RawLlmJson => format.set_font_color(0x80_8080),
        ResultColumn::RowNumber => format.set_text_wrap().set_align(FormatAlign::Center),
        ResultColumn::Key => format,
        ResultColumn::ProjectManager
        | ResultColumn::StatusValue
        | ResultColumn::CompletionDate
        | ResultColumn::Comment
        | ResultColumn::Issues
        | ResultColumn::RewriteSuggestion
        | ResultColumn::CheckDate
        | ResultColumn::Model
        | ResultColumn::Rules
        | ResultColumn::Severity => format.set_text_wrap(),
    }
}

/// The words say it, the colours only help.
fn colour_words(worksheet: &mut Worksheet, column: u16) -> Result<(), XlsxError> {
    for (word, ink, paper) in [
        (IsValid::Yes, 0x00_6100, 0xC6_EFCE),
        (IsValid::No, 0x9C_0006, 0xFF_C7CE),
        (IsValid::NotChecked, 0x7F_6000, 0xFF_EB9C),
    ] {
        let rule = ConditionalFormatCell::new()
            .set_rule(ConditionalFormatCellRule::EqualTo(word.as_str()))
            .set_format(Format::new().set_font_color(ink).set_background_color(paper));
        worksheet.add_conditional_format(1, column, MAX_ROWS - 1, column, &rule)?;
    }
    Ok(())
}
