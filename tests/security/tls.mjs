// tls: what a listener may negotiate, read from the XML of sslscan.

const VERSIONS = ['TLSv1.2', 'TLSv1.3'];

function tags(xml, name) {
  return [...xml.matchAll(new RegExp(`<${name}\\b([^>]*)>`, 'g'))].map(([, text]) => (
    Object.fromEntries([...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value]))));
}

export function readScan(xml) {
  return {
    protocols: tags(xml, 'protocol').map(({ type, version, enabled }) => (
      { name: `${type.toUpperCase()}v${version}`, enabled: enabled === '1' })),
    ciphers: tags(xml, 'cipher').map(({ sslversion, cipher }) => ({ version: sslversion, name: cipher })),
    heartbleed: tags(xml, 'heartbleed').some(({ vulnerable }) => vulnerable === '1'),
    compression: tags(xml, 'compression').some(({ supported }) => supported === '1'),
    insecureRenegotiation: tags(xml, 'renegotiation').some(({ supported, secure }) => supported === '1' && secure !== '1'),
  };
}

/** Only forward-secret ciphers that authenticate what they encrypt. */
function isModern({ version, name }) {
  return version === 'TLSv1.3' || (/^ECDHE-/.test(name) && /GCM|CHACHA20/.test(name));
}

/** What is wrong with a scan, in words. */
export function checkTls(scan) {
  const problems = [];
  if (scan.ciphers.length === 0) problems.push('NOT TESTED: no cipher was accepted');
  for (const { name, enabled } of scan.protocols)
    if (enabled && !VERSIONS.includes(name)) problems.push(`${name} is enabled`);
  for (const cipher of scan.ciphers)
    if (!isModern(cipher)) problems.push(`${cipher.version} ${cipher.name} is accepted`);
  if (scan.heartbleed) problems.push('Heartbleed');
  if (scan.compression) problems.push('TLS compression');
  if (scan.insecureRenegotiation) problems.push('insecure renegotiation');
  return problems;
}
