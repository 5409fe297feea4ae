// An OpenID provider on 127.0.0.1, of the package `oidc-provider`, with people, a form to sign in with, and what a test can have it
// do wrong. Its first line says where it listens.
// usage: node oidc_provider.mjs [PORT [public]]
// With `public` loanhook is a client without a secret.

import { createServer } from "node:http";
import { SignJWT, base64url, decodeJwt, exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

const CLIENT_ID = "loanhook";
const CLIENT_SECRET = "the-secret-of-loanhook";
const CALLBACK = "/sign-in/oidc/callback";

const PEOPLE = {
  jane: { name: "Jane Doe", preferred_username: "jdoe", email: "jane@lender.example", email_verified: true, groups: ["servicing", "everyone"] },
  rita: { preferred_username: "rita.reader", email: "rita@lender.example", email_verified: true, groups: ["readers"] },
  mia: { name: "Mia Many", email: "mia@lender.example", email_verified: false, groups: ["readers", "other-readers", "resenders"] },
  otto: { email: "otto@lender.example", email_verified: false, groups: "everyone" },
  nora: { realm_access: { roles: ["loanhook"] } },
};

let claimsOfIdTokens = true;
let changed = null;
let userinfo = null;
let signer = null;
let issuer = null;
let handle = null;

/** A provider with a new key, in the place of the one before. What it has kept, people's sessions among it, stays. */
async function begin() {
  const kid = `key-${Math.random().toString(36).slice(2)}`;
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  signer = { kid, privateKey };
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        redirect_uris: [`http://127.0.0.1${CALLBACK}`],
        post_logout_redirect_uris: ["http://127.0.0.1/sign-in"],
        ...(process.argv[3] === "public"
          ? { token_endpoint_auth_method: "none" }
          : { token_endpoint_auth_method: "client_secret_basic", client_secret: CLIENT_SECRET }),
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" }] },
    claims: { openid: ["sub", "realm_access"], profile: ["name", "preferred_username", "groups"], email: ["email", "email_verified"] },
    conformIdTokenClaims: !claimsOfIdTokens,
    cookies: { keys: ["a key of cookies for tests"] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, id) => PEOPLE[id] && { accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) },
    // Nobody is asked whether loanhook may know them.
    async loadExistingGrant(context) {
      const grant = new context.oidc.provider.Grant({ accountId: context.oidc.session.accountId, clientId: context.oidc.client.clientId });
      grant.addOIDCScope(context.oidc.params.scope);
      await grant.save();
      return grant;
    },
  });
  // Of loopback every port is allowed, and every name that a stack may have there, and no other path.
  const isLoopback = (name) => name === "127.0.0.1" || name.endsWith(".localhost");
  const isOurs = (path) => (uri) => isLoopback(new URL(uri).hostname) && new URL(uri).pathname === path;
  provider.Client.prototype.redirectUriAllowed = isOurs(CALLBACK);
  provider.Client.prototype.postLogoutRedirectUriAllowed = isOurs("/sign-in");
  provider.use(async (context, next) => {
    await next();
    if (userinfo && context.oidc?.route === "userinfo") {
      if (userinfo.sub) context.body = { ...context.body, sub: userinfo.sub };
      else context.status = 500;
    }
    if (changed && context.oidc?.route === "token" && context.body?.id_token) {
      context.body = { ...context.body, id_token: await changedToken(context.body.id_token) };
    }
  });
  handle = { provider, callback: provider.callback() };
}

/** The token with other claims, signed with the key of the provider, or in a way that is not to be trusted. */
async function changedToken(token) {
  const { claims, foreignKey, withClientSecret, unsigned } = changed;
  const key = foreignKey ? (await generateKeyPair("RS256")).privateKey : signer.privateKey;
  const payload = Object.fromEntries(Object.entries({ ...decodeJwt(token), ...claims }).filter(([, value]) => value !== null));
  if (withClientSecret) return new SignJWT(payload).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(CLIENT_SECRET));
  if (unsigned) return `${base64url.encode('{"alg":"none"}')}.${base64url.encode(JSON.stringify(payload))}.`;
  return new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: signer.kid }).sign(key);
}

async function bodyOf(request) {
  let body = "";
  for await (const part of request) body += part;
  return body;
}

function answer(response, status, body, headers = {}) {
  response.writeHead(status, headers).end(body);
}

/** What a test has it do. */
async function control(what, request, response) {
  const body = await bodyOf(request);
  switch (what) {
    case "rotate":
      await begin();
      break;
    case "change-tokens":
      changed = JSON.parse(body);
      break;
    case "change-userinfo":
      userinfo = JSON.parse(body);
      break;
    case "claims-by-userinfo":
      claimsOfIdTokens = false;
      await begin();
      break;
    default:
      return answer(response, 404, "no such thing");
  }
  answer(response, 200, "done");
}

/** The form to sign in with, and what it sends. */
async function interaction(request, response) {
  if (request.method === "GET") {
    const form = `<form method="post"><label>Name <input name="login" autofocus></label>
      <button id="sign-in">Sign in</button> <button id="deny" name="deny" value="1">Deny</button></form>`;
    return answer(response, 200, `<!doctype html><title>Provider</title><h1>Provider</h1>${form}`, { "content-type": "text/html" });
  }
  const fields = new URLSearchParams(await bodyOf(request));
  const result = fields.get("deny") ? { error: "access_denied" } : { login: { accountId: fields.get("login") } };
  await handle.provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

const server = createServer(async (request, response) => {
  try {
    const [, part, what] = request.url.split(/[/?]/);
    if (part === "control") await control(what, request, response);
    else if (part === "interaction") await interaction(request, response);
    else await handle.callback(request, response);
  } catch (error) {
    console.error(error);
    answer(response, 500, String(error));
  }
});

// It ends with the test that started it.
process.stdin.on("end", () => process.exit()).resume();

server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", async () => {
  // Another name than loanhook has in tests, so that a browser takes them for two sites.
  issuer = `http://localhost:${server.address().port}`;
  await begin();
  console.log(`the provider is ${issuer}`);
});
