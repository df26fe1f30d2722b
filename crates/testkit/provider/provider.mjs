// A real OpenID provider on a free port of loopback, for tests: `node provider.mjs OPTIONS`.
//
// The protocol and the pages are those of the package oidc-provider; here is only who exists, and
// how the provider misbehaves when a test wants it to. OPTIONS is JSON: `life` is how many seconds
// a device code is good, `token_claims` whether claims are in the ID token too, `tls` the files of
// a certificate and its key if it is to be encrypted.
//
// It says its issuer on a line of its own when it listens, and ends with its standard input.

import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

import Provider from 'oidc-provider';

// What the package has to say is not for whoever reads the issuer and closes the pipe.
console.info = console.error;

const options = { life: 600, token_claims: false, ...JSON.parse(process.argv[2] ?? '{}') };

// Whoever signs in is who they say they are; the pages ask for no real password.
function account(id) {
  const groups = id.startsWith('nogroups') ? [] : ['ops', 'team/web', 'Not A Role'];
  const claims = {
    sub: `user-${Buffer.from(id).toString('hex')}`,
    email: id,
    email_verified: !id.startsWith('unverified'),
    realm_access: { roles: groups },
  };
  return { accountId: id, claims: async () => claims };
}

const [cert, key] = (options.tls ?? []).map((file) => readFileSync(file));
const server = cert ? https.createServer({ cert, key }) : http.createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `${cert ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
  const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'forebear',
        client_secret: 'a secret: with %signs & more',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
        redirect_uris: [],
        response_types: [],
      },
      {
        client_id: 'public',
        token_endpoint_auth_method: 'none',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified', 'realm_access'] },
    conformIdTokenClaims: !options.token_claims,
    cookies: { keys: ['of a test'] },
    features: { deviceFlow: { enabled: true } },
    findAccount: (_, id) => account(id),
    jwks: { keys: [signing.export({ format: 'jwk' })] },
    ttl: { DeviceCode: options.life, Session: 600, Interaction: 600, Grant: 600 },
  });

  // What is wrong now: set by `POST /fault/NAME`, ended by `POST /fault/none`.
  let fault = 'none';
  let polls = 0;
  const misbehave = {
    // An answer without an end.
    flood: (ctx) => {
      ctx.respond = false;
      ctx.res.writeHead(200, { 'content-type': 'application/json' });
      const write = () => {
        while (!ctx.res.destroyed && ctx.res.write('x'.repeat(65536)));
      };
      ctx.res.on('drain', write);
      write();
    },
    // No answer at all.
    hang: (ctx) => { ctx.respond = false; },
    redirect: (ctx) => ctx.redirect('/elsewhere'),
    broken: (ctx) => { ctx.status = 503; },
    // Wants to be asked less often, once.
    slow_down: (ctx, next) => {
      polls += 1;
      if (ctx.path !== '/token' || polls > 1) return next();
      ctx.status = 400;
      ctx.body = { error: 'slow_down' };
    },
    // Terminal sequences in place of a code.
    escapes: async (ctx, next) => {
      await next();
      if (ctx.path === '/device/auth') ctx.body = { ...ctx.body, user_code: '\u001b[2Jcode' };
    },
    // Another provider's name.
    issuer: async (ctx, next) => {
      await next();
      if (ctx.path.startsWith('/.well-known/')) ctx.body = { ...ctx.body, issuer: 'https://id.example.com' };
    },
    // Keys that have signed nothing.
    keys: async (ctx, next) => {
      await next();
      if (ctx.path === '/jwks') {
        const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
        const keys = ctx.body.keys.map((old) => ({ ...old, n: other.export({ format: 'jwk' }).n }));
        ctx.body = { keys };
      }
    },
  };
  provider.use((ctx, next) => {
    const wanted = ctx.method === 'POST' && /^\/fault\/(\w+)$/.exec(ctx.path)?.[1];
    if (wanted) {
      fault = wanted;
      polls = 0;
      ctx.status = 204;
      return undefined;
    }
    return (misbehave[fault] ?? ((_, go) => go()))(ctx, next);
  });
  server.on('request', provider.callback());
  process.stdout.write(`${issuer}\n`);
});

process.stdin.on('end', () => process.exit(0)).resume();
