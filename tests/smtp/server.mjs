// An SMTP server (Nodemailer's) that does what the stories need. What it does with a message is said by the address that
// the message goes to, so nothing has to be agreed beforehand. It tells what happens as lines of JSON on stdout, and
// ends with its stdin.
//
//   node server.mjs [--tls | --starttls] [--user NAME:PASSWORD]      with KEY and CERT (PEM) in the environment for TLS

import { SMTPServer } from 'smtp-server';

const tell = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const answer = (code, text) => Object.assign(new Error(text), { responseCode: code });
const flags = process.argv.slice(2);
const account = flags.includes('--user') ? flags[flags.indexOf('--user') + 1] : undefined;
const seen = new Map();

const server = new SMTPServer({
  secure: flags.includes('--tls'),
  key: process.env.KEY,
  cert: process.env.CERT,
  disabledCommands: flags.includes('--starttls') || flags.includes('--tls') ? [] : ['STARTTLS'],
  authOptional: account === undefined,
  allowInsecureAuth: false,
  logger: false,

  onAuth({ username, password }, _session, done) {
    tell({ auth: username });
    if (`${username}:${password}` === account) done(null, { user: username });
    else done(answer(535, 'no'));
  },

  onRcptTo({ address }, session, done) {
    const times = (seen.get(address) ?? 0) + 1;
    seen.set(address, times);
    const tried = (what) => tell({ [what]: address, times });
    const [name] = address.split('@');
    const first = Number(name.match(/^later-(\d+)/)?.[1] ?? 0);
    if (times <= first) {
      tried('temporary');
      return done(answer(451, `${address} is busy`));
    }
    if (name.startsWith('never')) {
      tried('permanent');
      return done(answer(550, `${address} is unknown`));
    }
    if (name.startsWith('hang') && times === 1) return tried('hang');
    if (name.startsWith('close') && times === 1) {
      tried('close');
      return session.connection?.close?.() ?? server.connections.forEach((one) => one.close());
    }
    done();
  },

  onData(stream, session, done) {
    const parts = [];
    stream.on('data', (part) => parts.push(part));
    stream.on('end', () => {
      const { mailFrom, rcptTo } = session.envelope;
      tell({
        mail: Buffer.concat(parts).toString('utf8'),
        from: mailFrom.address,
        to: rcptTo.map((one) => one.address),
        secure: session.secure,
        user: session.user ?? null,
        hello: session.hostNameAppearsAs,
      });
      done();
    });
  },
});

server.on('error', (error) => tell({ error: error.message }));
server.listen(0, '127.0.0.1', () => tell({ listening: server.server.address().port }));
process.stdin.resume().on('end', () => process.exit(0));
