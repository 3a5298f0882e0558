import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { findFault } from './api.ts';

interface SignInProps {
  /** Why the form is there; null at the first visit. */
  readonly reason: string | null;
  readonly onToken: (token: string) => void;
}

/** The form that takes an operator's token. */
export function SignIn({ reason, onToken }: SignInProps) {
  const field = useRef<HTMLInputElement>(null);
  const [fault, setFault] = useState(reason);
  const [isAsking, setAsking] = useState(false);
  useLayoutEffect(() => field.current?.focus(), []);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const token = field.current?.value.trim().replace(/^Bearer\s+/i, '') ?? '';
    setAsking(true);
    const found = await findFault(token);
    setAsking(false);
    if (found === null) return onToken(token);
    setFault(found);
    field.current?.focus();
  };
  return (
    <form class="sign-in" onSubmit={submit} aria-labelledby="sign-in-title">
      <h2 id="sign-in-title">Sign in as an operator</h2>
      <label for="token">Token of the role OPERATOR</label>
      <input
        ref={field}
        id="token"
        type="password"
        autocomplete="off"
        spellcheck={false}
        required
        aria-describedby="token-fault token-help"
        aria-invalid={fault !== null}
      />
      <p id="token-fault" class="fault-text" role="alert">
        {fault}
      </p>
      <button type="submit" disabled={isAsking}>
        {isAsking ? 'Asking…' : 'Sign in'}
      </button>
      <div id="token-help">
        <p>Where tokens are signed with AUTH_SECRET, this prints one:</p>
        <pre>npm run --silent token -- --role OPERATOR</pre>
        <p>Else the identity provider gives it, with the claim role: OPERATOR.</p>
        <p class="caption">
          It stays in this tab's session storage until the tab is closed, so that a reload does not ask again. It goes
          to this service alone, and never into an address.
        </p>
      </div>
    </form>
  );
}
