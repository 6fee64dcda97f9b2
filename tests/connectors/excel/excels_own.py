"""A workbook as Excel itself writes it: shared texts and formulas, kept results, what is to be ignored."""

import io
import zipfile
from pathlib import Path

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
IGNORED = (
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" mc:Ignorable="x14ac xr" '
    'xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac" '
    'xmlns:xr="http://schemas.microsoft.com/office/spreadsheetml/2014/revision"'
)
PARTS = {
    "[Content_Types].xml": f"""<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels"
ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml"
ContentType="application/xml"/><Default Extension="bin" ContentType="{KIND}.printerSettings"/>
<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{KIND}.worksheet+xml"/>
<Override PartName="/xl/styles.xml" ContentType="{KIND}.styles+xml"/>
<Override PartName="/xl/sharedStrings.xml" ContentType="{KIND}.sharedStrings+xml"/>
<Override PartName="/xl/calcChain.xml" ContentType="{KIND}.calcChain+xml"/></Types>""",
    "_rels/.rels": f"""<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1"
Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>""",
    "xl/_rels/workbook.xml.rels": f"""<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1"
Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{OFFICE}/styles"
Target="styles.xml"/><Relationship Id="rId3" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>
<Relationship Id="rId4" Type="{OFFICE}/calcChain" Target="calcChain.xml"/></Relationships>""",
    "xl/workbook.xml": f"""<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}" {IGNORED}><fileVersion appName="xl"/>
<workbookPr defaultThemeVersion="166925"/>
<mc:AlternateContent><mc:Choice Requires="x15"/></mc:AlternateContent>
<xr:revisionPtr revIDLastSave="0"/><bookViews><workbookView activeTab="0"/></bookViews><sheets><sheet
name="patients" sheetId="1" r:id="rId1"/></sheets><calcPr calcId="191029"/><extLst><ext
uri="{{B58B0392-4F1F-4190-BB64-5DF3571DCE5F}}"/></extLst></workbook>""",
    "xl/styles.xml": f"""<styleSheet xmlns="{MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/>
</font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill
patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/>
</cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs><cellStyles
count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>""",
    "xl/sharedStrings.xml": f"""<sst xmlns="{MAIN}" count="7" uniqueCount="7"><si><t>patient_id</t></si>
<si><t>name</t></si><si><t>theirs</t></si><si><t>1</t></si><si><r><t xml:space="preserve">call </t></r><r>
<rPr><b/><sz val="11"/></rPr><t>today</t></r></si><si><t>2</t></si><si><t>a_x000D_
b_x005F_x000D_</t></si></sst>""",
    "xl/calcChain.xml": f'<calcChain xmlns="{MAIN}"><c r="D2" i="1"/></calcChain>',
    "xl/worksheets/_rels/sheet1.xml.rels": f"""<Relationships xmlns="{PACKAGE}/relationships"><Relationship
Id="rId1" Type="{OFFICE}/printerSettings"
Target="../printerSettings/printerSettings1.bin"/></Relationships>""",
    "xl/printerSettings/printerSettings1.bin": "a printer's",
    "xl/worksheets/sheet1.xml": f"""<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}" {IGNORED}
xr:uid="{{00000000-0001-0000-0000-000000000000}}"><sheetPr/><dimension ref="A1:F3"/><sheetViews><sheetView
workbookViewId="0"/></sheetViews><sheetFormatPr defaultRowHeight="15" x14ac:dyDescent="0.25"/><cols><col
min="1" max="3" width="20.5" customWidth="1"/></cols><sheetData>
<row r="1" spans="1:6" x14ac:dyDescent="0.25"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c>
<c r="C1" t="s"><v>2</v></c></row>
<row r="2"><c r="A2" t="s"><v>3</v></c><c r="C2" t="s"><v>4</v></c><c r="D2"><f t="shared" ref="D2:D3"
si="0">E2*2</f><v>6</v></c><c r="E2"><v>3</v></c><c r="F2" s="1"><v>46023.5</v></c></row>
<row r="3">
<c r="A3" t="s"><v>5</v></c><c r="C3" t="s"><v>6</v></c><c r="D3"><f t="shared" si="0"/><v>8</v></c>
<c r="E3"><v>4</v></c><c r="F3"><f t="array" ref="F3">SUM(E2:E3*2)</f><v>14</v></c></row></sheetData>
<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/><pageSetup
orientation="landscape" r:id="rId1"/></worksheet>""",
}


def excels_own(path: Path) -> None:
    """Write it there."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in PARTS.items():
            file.writestr(name, HEAD + content.encode())
    path.write_bytes(target.getvalue())
