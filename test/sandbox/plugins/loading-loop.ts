/** Does not stop while it is loaded. */
for (;;);

export default {};
