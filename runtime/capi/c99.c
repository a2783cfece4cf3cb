/* The headers are C99, and their struct helpers and inline functions work there. */
#include <cortex/cortex.h>

int c99_smoke(void);

int c99_smoke(void) {
  cortex_plan_options options = cortex_plan_options_init();
  cortex_execute_args args = cortex_execute_args_init();
  cortex_message message;
  cortex_problem* problem = NULL;
  if (options.struct_size != sizeof options || args.src != NULL) return 1;
  if (cortex_problem_parse("32x32:32x32", &problem, &message) != CORTEX_OK) return 2;
  cortex_problem_destroy(problem);
  return cortex_problem_parse("32x32:16x32", &problem, &message) == CORTEX_INVALID_ARGUMENT && message.text[0]
             ? 0
             : 3;
}
