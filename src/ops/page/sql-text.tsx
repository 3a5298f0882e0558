/** Long lines scroll within, by the keyboard too. */
export function SqlText({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <figure class="sql">
      <figcaption>{title}</figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <pre tabIndex={0}>{text}</pre>
    </figure>
  );
}

/** A plan, and what indexes do for its statement, where there is something to say. */
export function PlanText({ plan, advice }: { readonly plan: string; readonly advice: string | null }) {
  return (
    <>
      <SqlText title="Plan" text={plan} />
      {advice && (
        <p>
          <b>Index advice.</b> {advice}{' '}
          {advice.includes('no index') && (
            <span class="caption">
              <code>npm run indexes:advise</code> weighs the workload and gives the exact CREATE INDEX.
            </span>
          )}
        </p>
      )}
    </>
  );
}
