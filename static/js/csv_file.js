// csv_file: rows as a CSV file (RFC 4180) that the browser saves.

// A text that a spreadsheet would take for a formula gets a quote in front.
function cell(value) {
	const text = value === null || value === undefined ? '' : String(value);
	const plain = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;

	return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

// columns: [[title, text(item)]]
export function csvText(columns, items) {
	const rows = [columns.map(([title]) => cell(title))];

	for (const item of items)
		rows.push(columns.map(([, value]) => cell(value(item))));
	return rows.map((row) => `${row.join(',')}\r\n`).join('');
}

export function downloadCsv(name, columns, items) {
	const file = new Blob(['\uFEFF', csvText(columns, items)], { type: 'text/csv;charset=utf-8' });
	const link = document.createElement('a');

	link.href = URL.createObjectURL(file);
	link.download = name.replace(/[\\/:*?"<>|]/g, '-');
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
