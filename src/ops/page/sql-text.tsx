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
