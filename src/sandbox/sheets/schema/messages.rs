//! The messages of the API: which fields each has and what they hold.
//!
//! A line is a message: its name, then its fields with their types. `[T]` is a list, `{T}` a map, `@E` an
//! enum, `any` what the sandbox takes unread, `list` a list of JSON values, `index` a number that may be left
//! out. A `?` marks a field that is shown also when it is zero, empty or false.

/// Every message the sandbox reads or writes.
pub(super) const MESSAGES: &str = "\
Spreadsheet: comments [any], commentsViewMode @CommentsViewMode, dataSourceSchedules [any],
  dataSources [any], developerMetadata [DeveloperMetadata], namedRanges [NamedRange],
  properties SpreadsheetProperties, sheets [Sheet], spreadsheetId string, spreadsheetUrl string
BatchUpdateSpreadsheetRequest: commentsViewMode @CommentsViewMode, includeSpreadsheetInResponse bool,
  requests [Request], responseIncludeGridData bool, responseRanges [string]
BatchUpdateSpreadsheetResponse: commentUpdateState @CommentUpdateState, replies [Response],
  spreadsheetId string, updatedSpreadsheet Spreadsheet
ValueRange: majorDimension @Dimension, range string, values [list]
AppendValuesResponse: spreadsheetId string, tableRange string, updates UpdateValuesResponse
UpdateValuesResponse: spreadsheetId string, updatedCells int, updatedColumns int, updatedData ValueRange,
  updatedRange string, updatedRows int
BatchGetValuesResponse: spreadsheetId string, valueRanges [ValueRange]
BatchUpdateValuesRequest: data [ValueRange], includeValuesInResponse bool,
  responseDateTimeRenderOption @DateTimeRenderOption, responseValueRenderOption @ValueRenderOption,
  valueInputOption @ValueInputOption
BatchUpdateValuesResponse: responses [UpdateValuesResponse], spreadsheetId string, totalUpdatedCells int,
  totalUpdatedColumns int, totalUpdatedRows int, totalUpdatedSheets int
ClearValuesRequest:
ClearValuesResponse: clearedRange string, spreadsheetId string
BatchClearValuesRequest: ranges [string]
BatchClearValuesResponse: clearedRanges [string], spreadsheetId string
GetSpreadsheetByDataFilterRequest: commentsViewMode @CommentsViewMode, dataFilters [DataFilter],
  excludeTablesInBandedRanges bool, includeGridData bool
BatchGetValuesByDataFilterRequest: dataFilters [DataFilter], dateTimeRenderOption @DateTimeRenderOption,
  majorDimension @Dimension, valueRenderOption @ValueRenderOption
BatchGetValuesByDataFilterResponse: spreadsheetId string, valueRanges [MatchedValueRange]
BatchUpdateValuesByDataFilterRequest: data [DataFilterValueRange], includeValuesInResponse bool,
  responseDateTimeRenderOption @DateTimeRenderOption, responseValueRenderOption @ValueRenderOption,
  valueInputOption @ValueInputOption
BatchUpdateValuesByDataFilterResponse: responses [UpdateValuesByDataFilterResponse], spreadsheetId string,
  totalUpdatedCells int, totalUpdatedColumns int, totalUpdatedRows int, totalUpdatedSheets int
BatchClearValuesByDataFilterRequest: dataFilters [DataFilter]
BatchClearValuesByDataFilterResponse: clearedRanges [string], spreadsheetId string
CopySheetToAnotherSpreadsheetRequest: destinationSpreadsheetId string
SearchDeveloperMetadataRequest: dataFilters [DataFilter]
SearchDeveloperMetadataResponse: matchedDeveloperMetadata [MatchedDeveloperMetadata]
DeveloperMetadata: location DeveloperMetadataLocation, metadataId int, metadataKey string,
  metadataValue string, visibility @DeveloperMetadataVisibility
NamedRange: name string, namedRangeId string, range GridRange
SpreadsheetProperties: autoRecalc @SpreadsheetProperties.RecalculationInterval, defaultFormat CellFormat,
  importFunctionsExternalUrlAccessAllowed bool, iterativeCalculationSettings IterativeCalculationSettings,
  locale string, spreadsheetTheme SpreadsheetTheme, timeZone string, title string
Sheet: bandedRanges [BandedRange], basicFilter BasicFilter, charts [any], columnGroups [DimensionGroup],
  commentAnchors [any], conditionalFormats [ConditionalFormatRule], data [GridData],
  developerMetadata [DeveloperMetadata], filterViews [FilterView], merges [GridRange],
  properties SheetProperties, protectedRanges [ProtectedRange], rowGroups [DimensionGroup], slicers [any],
  tables [any]
Request: addBanding AddBandingRequest, addChart any, addCommentReply any,
  addConditionalFormatRule AddConditionalFormatRuleRequest, addDataSource any,
  addDimensionGroup AddDimensionGroupRequest, addFilterView AddFilterViewRequest,
  addNamedRange AddNamedRangeRequest, addProtectedRange AddProtectedRangeRequest, addSheet AddSheetRequest,
  addSlicer any, addTable any, appendCells AppendCellsRequest, appendDimension AppendDimensionRequest,
  autoFill AutoFillRequest, autoResizeDimensions AutoResizeDimensionsRequest, cancelDataSourceRefresh any,
  clearBasicFilter ClearBasicFilterRequest, copyPaste CopyPasteRequest,
  createDeveloperMetadata CreateDeveloperMetadataRequest, cutPaste CutPasteRequest,
  deleteBanding DeleteBandingRequest, deleteComment any, deleteCommentReply any,
  deleteConditionalFormatRule DeleteConditionalFormatRuleRequest, deleteDataSource any,
  deleteDeveloperMetadata DeleteDeveloperMetadataRequest, deleteDimension DeleteDimensionRequest,
  deleteDimensionGroup DeleteDimensionGroupRequest, deleteDuplicates DeleteDuplicatesRequest,
  deleteEmbeddedObject any, deleteFilterView DeleteFilterViewRequest,
  deleteNamedRange DeleteNamedRangeRequest, deleteProtectedRange DeleteProtectedRangeRequest,
  deleteRange DeleteRangeRequest, deleteSheet DeleteSheetRequest, deleteTable any,
  duplicateFilterView DuplicateFilterViewRequest, duplicateSheet DuplicateSheetRequest,
  findReplace FindReplaceRequest, insertComment any, insertDimension InsertDimensionRequest,
  insertRange InsertRangeRequest, mergeCells MergeCellsRequest, moveDimension MoveDimensionRequest,
  pasteData PasteDataRequest, randomizeRange RandomizeRangeRequest, refreshDataSource any, repeatCell RepeatCellRequest,
  setBasicFilter SetBasicFilterRequest, setDataValidation SetDataValidationRequest,
  sortRange SortRangeRequest, textToColumns TextToColumnsRequest, trimWhitespace TrimWhitespaceRequest,
  unmergeCells UnmergeCellsRequest, updateBanding UpdateBandingRequest, updateBorders UpdateBordersRequest,
  updateCells UpdateCellsRequest, updateChartSpec any, updateCommentPost any,
  updateConditionalFormatRule UpdateConditionalFormatRuleRequest, updateDataSource any,
  updateDeveloperMetadata UpdateDeveloperMetadataRequest, updateDimensionGroup UpdateDimensionGroupRequest,
  updateDimensionProperties UpdateDimensionPropertiesRequest, updateEmbeddedObjectBorder any,
  updateEmbeddedObjectPosition any, updateFilterView UpdateFilterViewRequest,
  updateNamedRange UpdateNamedRangeRequest, updateProtectedRange UpdateProtectedRangeRequest,
  updateSheetProperties UpdateSheetPropertiesRequest, updateSlicerSpec any,
  updateSpreadsheetProperties UpdateSpreadsheetPropertiesRequest, updateTable any
Response: addBanding AddBandingResponse, addChart any, addCommentReply any, addDataSource any,
  addDimensionGroup AddDimensionGroupResponse, addFilterView AddFilterViewResponse,
  addNamedRange AddNamedRangeResponse, addProtectedRange AddProtectedRangeResponse,
  addSheet AddSheetResponse, addSlicer any, addTable any, cancelDataSourceRefresh any,
  createDeveloperMetadata CreateDeveloperMetadataResponse,
  deleteConditionalFormatRule DeleteConditionalFormatRuleResponse,
  deleteDeveloperMetadata DeleteDeveloperMetadataResponse,
  deleteDimensionGroup DeleteDimensionGroupResponse, deleteDuplicates DeleteDuplicatesResponse,
  duplicateFilterView DuplicateFilterViewResponse, duplicateSheet DuplicateSheetResponse,
  findReplace FindReplaceResponse, insertComment any, refreshDataSource any,
  trimWhitespace TrimWhitespaceResponse, updateConditionalFormatRule UpdateConditionalFormatRuleResponse,
  updateDataSource any, updateDeveloperMetadata UpdateDeveloperMetadataResponse,
  updateEmbeddedObjectPosition any
DataFilter: a1Range string, developerMetadataLookup DeveloperMetadataLookup, gridRange GridRange
MatchedValueRange: dataFilters [DataFilter], valueRange ValueRange
DataFilterValueRange: dataFilter DataFilter, majorDimension @Dimension, values [list]
UpdateValuesByDataFilterResponse: dataFilter DataFilter, updatedCells int, updatedColumns int,
  updatedData ValueRange, updatedRange string, updatedRows int
MatchedDeveloperMetadata: dataFilters [DataFilter], developerMetadata DeveloperMetadata
DeveloperMetadataLocation: dimensionRange DimensionRange, locationType @DeveloperMetadataLocationType,
  sheetId int?, spreadsheet bool?
GridRange: endColumnIndex index, endRowIndex index, sheetId int, startColumnIndex index, startRowIndex index
CellFormat: backgroundColor Color, backgroundColorStyle ColorStyle, borders Borders,
  horizontalAlignment @HorizontalAlign, hyperlinkDisplayType @HyperlinkDisplayType,
  numberFormat NumberFormat, padding Padding, textDirection @TextDirection, textFormat TextFormat,
  textRotation TextRotation, verticalAlignment @VerticalAlign, wrapStrategy @WrapStrategy
IterativeCalculationSettings: convergenceThreshold double, maxIterations int
SpreadsheetTheme: primaryFontFamily string, themeColors [ThemeColorPair]
BandedRange: bandedRangeId int, bandedRangeReference string, columnProperties BandingProperties,
  range GridRange, rowProperties BandingProperties
BasicFilter: criteria {FilterCriteria}, filterSpecs [FilterSpec], range GridRange, sortSpecs [SortSpec],
  tableId string
DimensionGroup: collapsed bool, depth int, range DimensionRange
ConditionalFormatRule: booleanRule BooleanRule, gradientRule GradientRule, ranges [GridRange]
GridData: columnMetadata [DimensionProperties], rowData [RowData], rowMetadata [DimensionProperties],
  startColumn int, startRow int
FilterView: criteria {FilterCriteria}, filterSpecs [FilterSpec], filterViewId int, namedRangeId string,
  range GridRange, sortSpecs [SortSpec], tableId string, title string
SheetProperties: dataSourceSheetProperties any, gridProperties GridProperties, hidden bool, index int?,
  rightToLeft bool, sheetId int?, sheetType @SheetType, tabColor Color, tabColorStyle ColorStyle,
  title string
ProtectedRange: description string, editors Editors, namedRangeId string, protectedRangeId int,
  range GridRange, requestingUserCanEdit bool, tableId string, unprotectedRanges [GridRange],
  warningOnly bool
AddBandingRequest: bandedRange BandedRange
AddConditionalFormatRuleRequest: index int, rule ConditionalFormatRule
AddDimensionGroupRequest: range DimensionRange
AddFilterViewRequest: filter FilterView
AddNamedRangeRequest: namedRange NamedRange
AddProtectedRangeRequest: protectedRange ProtectedRange
AddSheetRequest: properties SheetProperties
AppendCellsRequest: fields mask, rows [RowData], sheetId int, tableId string
AppendDimensionRequest: dimension @Dimension, length int, sheetId int
AutoResizeDimensionsRequest: dataSourceSheetDimensions any, dimensions DimensionRange
ClearBasicFilterRequest: sheetId int
CopyPasteRequest: destination GridRange, pasteOrientation @PasteOrientation, pasteType @PasteType,
  source GridRange
CreateDeveloperMetadataRequest: developerMetadata DeveloperMetadata
CutPasteRequest: destination GridCoordinate, pasteType @PasteType, source GridRange
DeleteBandingRequest: bandedRangeId int
DeleteConditionalFormatRuleRequest: index int, sheetId int
DeleteDeveloperMetadataRequest: dataFilter DataFilter
DeleteDimensionRequest: range DimensionRange
DeleteDimensionGroupRequest: range DimensionRange
DeleteDuplicatesRequest: comparisonColumns [DimensionRange], range GridRange
DeleteFilterViewRequest: filterId int
DeleteNamedRangeRequest: namedRangeId string
DeleteProtectedRangeRequest: protectedRangeId int
DeleteRangeRequest: range GridRange, shiftDimension @Dimension
DeleteSheetRequest: sheetId int
DuplicateFilterViewRequest: filterId int
DuplicateSheetRequest: insertSheetIndex int?, newSheetId int?, newSheetName string, sourceSheetId int
FindReplaceRequest: allSheets bool?, find string, includeFormulas bool, matchCase bool,
  matchEntireCell bool, range GridRange, replacement string, searchByRegex bool, sheetId int?
InsertDimensionRequest: inheritFromBefore bool, range DimensionRange
InsertRangeRequest: range GridRange, shiftDimension @Dimension
MergeCellsRequest: mergeType @MergeCellsRequest.MergeType, range GridRange
MoveDimensionRequest: destinationIndex int, source DimensionRange
RepeatCellRequest: cell CellData, fields mask, range GridRange
SetBasicFilterRequest: filter BasicFilter
SetDataValidationRequest: filteredRowsIncluded bool, range GridRange, rule DataValidationRule
AutoFillRequest: range GridRange, sourceAndDestination SourceAndDestination, useAlternateSeries bool
SourceAndDestination: dimension @Dimension, fillLength int, source GridRange
PasteDataRequest: coordinate GridCoordinate, data string, delimiter string, html bool, type @PasteType
RandomizeRangeRequest: range GridRange
TextToColumnsRequest: delimiter string, delimiterType @TextToColumnsRequest.DelimiterType, source GridRange
SortRangeRequest: range GridRange, sortSpecs [SortSpec]
TrimWhitespaceRequest: range GridRange
UnmergeCellsRequest: range GridRange
UpdateBandingRequest: bandedRange BandedRange, fields mask
UpdateBordersRequest: bottom Border, innerHorizontal Border, innerVertical Border, left Border,
  range GridRange, right Border, top Border
UpdateCellsRequest: fields mask, range GridRange, rows [RowData], start GridCoordinate
UpdateConditionalFormatRuleRequest: index int, newIndex int?, rule ConditionalFormatRule, sheetId int
UpdateDeveloperMetadataRequest: dataFilters [DataFilter], developerMetadata DeveloperMetadata, fields mask
UpdateDimensionGroupRequest: dimensionGroup DimensionGroup, fields mask
UpdateDimensionPropertiesRequest: dataSourceSheetRange any, fields mask, properties DimensionProperties,
  range DimensionRange
UpdateFilterViewRequest: fields mask, filter FilterView
UpdateNamedRangeRequest: fields mask, namedRange NamedRange
UpdateProtectedRangeRequest: fields mask, protectedRange ProtectedRange
UpdateSheetPropertiesRequest: fields mask, properties SheetProperties
UpdateSpreadsheetPropertiesRequest: fields mask, properties SpreadsheetProperties
AddBandingResponse: bandedRange BandedRange
AddDimensionGroupResponse: dimensionGroups [DimensionGroup]
AddFilterViewResponse: filter FilterView
AddNamedRangeResponse: namedRange NamedRange
AddProtectedRangeResponse: protectedRange ProtectedRange
AddSheetResponse: properties SheetProperties
CreateDeveloperMetadataResponse: developerMetadata DeveloperMetadata
DeleteConditionalFormatRuleResponse: rule ConditionalFormatRule
DeleteDeveloperMetadataResponse: deletedDeveloperMetadata [DeveloperMetadata]
DeleteDimensionGroupResponse: dimensionGroups [DimensionGroup]
DeleteDuplicatesResponse: duplicatesRemovedCount int
DuplicateFilterViewResponse: filter FilterView
DuplicateSheetResponse: properties SheetProperties
FindReplaceResponse: formulasChanged int, occurrencesChanged int, rowsChanged int, sheetsChanged int,
  valuesChanged int
TrimWhitespaceResponse: cellsChangedCount int
UpdateConditionalFormatRuleResponse: newIndex int, newRule ConditionalFormatRule, oldIndex int,
  oldRule ConditionalFormatRule
UpdateDeveloperMetadataResponse: developerMetadata [DeveloperMetadata]
DeveloperMetadataLookup: locationMatchingStrategy @DeveloperMetadataLocationMatchingStrategy,
  locationType @DeveloperMetadataLocationType, metadataId int, metadataKey string,
  metadataLocation DeveloperMetadataLocation, metadataValue string, visibility @DeveloperMetadataVisibility
DimensionRange: dimension @Dimension, endIndex index, sheetId int, startIndex index
Color: alpha float?, blue float, green float, red float
ColorStyle: rgbColor Color, themeColor @ThemeColorType
Borders: bottom Border, left Border, right Border, top Border
NumberFormat: pattern string, type @NumberFormat.NumberFormatType
Padding: bottom int, left int, right int, top int
TextFormat: bold bool?, fontFamily string?, fontSize int?, foregroundColor Color,
  foregroundColorStyle ColorStyle, italic bool?, link Link, strikethrough bool?, underline bool?
TextRotation: angle int?, vertical bool?
ThemeColorPair: color ColorStyle, colorType @ThemeColorType
BandingProperties: firstBandColor Color, firstBandColorStyle ColorStyle, footerColor Color,
  footerColorStyle ColorStyle, headerColor Color, headerColorStyle ColorStyle, secondBandColor Color,
  secondBandColorStyle ColorStyle
FilterCriteria: condition BooleanCondition, hiddenValues [string], visibleBackgroundColor Color,
  visibleBackgroundColorStyle ColorStyle, visibleForegroundColor Color,
  visibleForegroundColorStyle ColorStyle
FilterSpec: columnIndex int?, dataSourceColumnReference any, filterCriteria FilterCriteria
SortSpec: backgroundColor Color, backgroundColorStyle ColorStyle, dataSourceColumnReference any,
  dimensionIndex int?, foregroundColor Color, foregroundColorStyle ColorStyle, sortOrder @SortOrder
BooleanRule: condition BooleanCondition, format CellFormat
GradientRule: maxpoint InterpolationPoint, midpoint InterpolationPoint, minpoint InterpolationPoint
DimensionProperties: dataSourceColumnReference any, developerMetadata [DeveloperMetadata],
  hiddenByFilter bool, hiddenByUser bool, pixelSize int
RowData: values [CellData]
GridProperties: columnCount int, columnGroupControlAfter bool, frozenColumnCount int, frozenRowCount int,
  hideGridlines bool, rowCount int, rowGroupControlAfter bool
Editors: domainUsersCanEdit bool, groups [string], users [string]
GridCoordinate: columnIndex int, rowIndex int, sheetId int
CellData: chipRuns [any], dataSourceFormula any, dataSourceTable any, dataValidation DataValidationRule,
  effectiveFormat CellFormat, effectiveValue ExtendedValue, formattedValue string, hyperlink string,
  note string, pivotTable any, textFormatRuns [TextFormatRun], userEnteredFormat CellFormat,
  userEnteredValue ExtendedValue
DataValidationRule: condition BooleanCondition, inputMessage string, showCustomUi bool, strict bool
Border: color Color, colorStyle ColorStyle, style @Border.Style, width int
Link: uri string
BooleanCondition: type @ConditionType, values [ConditionValue]
InterpolationPoint: color Color, colorStyle ColorStyle, type @InterpolationPoint.InterpolationPointType,
  value string
ExtendedValue: boolValue bool?, errorValue ErrorValue, formulaValue string?, numberValue double?,
  stringValue string?
TextFormatRun: format TextFormat, startIndex int
ConditionValue: relativeDate @RelativeDate, userEnteredValue string
ErrorValue: message string, type @ErrorType
";

/// The enums with their values; the first one is the default.
pub(super) const ENUMS: &str = "\
Border.Style: STYLE_UNSPECIFIED DOTTED DASHED SOLID SOLID_MEDIUM SOLID_THICK NONE DOUBLE
CommentUpdateState: COMMENT_UPDATE_STATE_UNSPECIFIED NO_UPDATES_REQUESTED ALL_SAVED
  ALL_FAILED_UNKNOWN_REASON
CommentsViewMode: COMMENTS_VIEW_MODE_UNSPECIFIED COMMENTS_VIEW_MODE_DEFAULT_FOR_CURRENT_ACCESS
  COMMENTS_VIEW_MODE_OMITTED COMMENTS_VIEW_MODE_INCLUDED
ConditionType: CONDITION_TYPE_UNSPECIFIED NUMBER_GREATER NUMBER_GREATER_THAN_EQ NUMBER_LESS
  NUMBER_LESS_THAN_EQ NUMBER_EQ NUMBER_NOT_EQ NUMBER_BETWEEN NUMBER_NOT_BETWEEN TEXT_CONTAINS
  TEXT_NOT_CONTAINS TEXT_STARTS_WITH TEXT_ENDS_WITH TEXT_EQ TEXT_IS_EMAIL TEXT_IS_URL DATE_EQ DATE_BEFORE
  DATE_AFTER DATE_ON_OR_BEFORE DATE_ON_OR_AFTER DATE_BETWEEN DATE_NOT_BETWEEN DATE_IS_VALID ONE_OF_RANGE
  ONE_OF_LIST BLANK NOT_BLANK CUSTOM_FORMULA BOOLEAN TEXT_NOT_EQ DATE_NOT_EQ FILTER_EXPRESSION
DateTimeRenderOption: SERIAL_NUMBER FORMATTED_STRING
DeveloperMetadataLocationMatchingStrategy: DEVELOPER_METADATA_LOCATION_MATCHING_STRATEGY_UNSPECIFIED
  EXACT_LOCATION INTERSECTING_LOCATION
DeveloperMetadataLocationType: DEVELOPER_METADATA_LOCATION_TYPE_UNSPECIFIED ROW COLUMN SHEET SPREADSHEET
DeveloperMetadataVisibility: DEVELOPER_METADATA_VISIBILITY_UNSPECIFIED DOCUMENT PROJECT
Dimension: DIMENSION_UNSPECIFIED ROWS COLUMNS
ErrorType: ERROR_TYPE_UNSPECIFIED ERROR NULL_VALUE DIVIDE_BY_ZERO VALUE REF NAME NUM N_A LOADING
HorizontalAlign: HORIZONTAL_ALIGN_UNSPECIFIED LEFT CENTER RIGHT
HyperlinkDisplayType: HYPERLINK_DISPLAY_TYPE_UNSPECIFIED LINKED PLAIN_TEXT
AppendValuesRequest.InsertDataOption: OVERWRITE INSERT_ROWS
InterpolationPoint.InterpolationPointType: INTERPOLATION_POINT_TYPE_UNSPECIFIED MIN MAX NUMBER PERCENT
  PERCENTILE
MergeCellsRequest.MergeType: MERGE_ALL MERGE_COLUMNS MERGE_ROWS
NumberFormat.NumberFormatType: NUMBER_FORMAT_TYPE_UNSPECIFIED TEXT NUMBER PERCENT CURRENCY DATE TIME
  DATE_TIME SCIENTIFIC
PasteOrientation: NORMAL TRANSPOSE
PasteType: PASTE_NORMAL PASTE_VALUES PASTE_FORMAT PASTE_NO_BORDERS PASTE_FORMULA PASTE_DATA_VALIDATION
  PASTE_CONDITIONAL_FORMATTING
RelativeDate: RELATIVE_DATE_UNSPECIFIED PAST_YEAR PAST_MONTH PAST_WEEK YESTERDAY TODAY TOMORROW
SheetType: SHEET_TYPE_UNSPECIFIED GRID OBJECT DATA_SOURCE
SortOrder: SORT_ORDER_UNSPECIFIED ASCENDING DESCENDING
SpreadsheetProperties.RecalculationInterval: RECALCULATION_INTERVAL_UNSPECIFIED ON_CHANGE MINUTE HOUR
TextDirection: TEXT_DIRECTION_UNSPECIFIED LEFT_TO_RIGHT RIGHT_TO_LEFT
TextToColumnsRequest.DelimiterType: DELIMITER_TYPE_UNSPECIFIED COMMA SEMICOLON PERIOD SPACE CUSTOM AUTODETECT
ThemeColorType: THEME_COLOR_TYPE_UNSPECIFIED TEXT BACKGROUND ACCENT1 ACCENT2 ACCENT3 ACCENT4 ACCENT5 ACCENT6
  LINK
ValueInputOption: INPUT_VALUE_OPTION_UNSPECIFIED RAW USER_ENTERED
ValueRenderOption: FORMATTED_VALUE UNFORMATTED_VALUE FORMULA
VerticalAlign: VERTICAL_ALIGN_UNSPECIFIED TOP MIDDLE BOTTOM
WrapStrategy: WRAP_STRATEGY_UNSPECIFIED OVERFLOW_CELL LEGACY_WRAP CLIP WRAP
";

/// Fields of which a message takes one: message, name of the choice, fields. No field stands for all of them.
pub(super) const CHOICES: [(&str, &str, &[&str]); 9] = [
    ("Request", "kind", &[]),
    ("ExtendedValue", "value", &[]),
    ("ColorStyle", "kind", &[]),
    ("DataFilter", "filter", &[]),
    ("ConditionalFormatRule", "rule", &["booleanRule", "gradientRule"]),
    ("UpdateCellsRequest", "area", &["range", "start"]),
    ("AutoFillRequest", "area", &["range", "sourceAndDestination"]),
    ("PasteDataRequest", "kind", &["delimiter", "html"]),
    ("FindReplaceRequest", "scope", &["range", "sheetId", "allSheets"]),
];

/// Kinds of requests that the API knows and the sandbox does not serve.
pub(crate) const UNSERVED: [&str; 20] = [
    "addChart",
    "addCommentReply",
    "addDataSource",
    "addSlicer",
    "addTable",
    "cancelDataSourceRefresh",
    "deleteComment",
    "deleteCommentReply",
    "deleteDataSource",
    "deleteEmbeddedObject",
    "deleteTable",
    "insertComment",
    "refreshDataSource",
    "updateChartSpec",
    "updateCommentPost",
    "updateDataSource",
    "updateEmbeddedObjectBorder",
    "updateEmbeddedObjectPosition",
    "updateSlicerSpec",
    "updateTable",
];
