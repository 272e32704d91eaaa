/* SoftHSM as a token that is pulled out: from the call on that TRUST_TEST_UNPLUG_AT counts to, every
   call is answered as drivers answer for a device that is gone. Only the calls this project makes. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long word;
typedef word (*call)(word, word, word, word, word, word, word, word);
enum { FUNCTIONS = 68, GET_FUNCTION_LIST = 3, GET_SLOT_LIST = 4, REMOVED = 0x32 };

struct list {
    unsigned char version[2];
    call functions[FUNCTIONS];
};

static struct list ours;
static call real[FUNCTIONS];

static int gone(void) {
    static long calls;
    const char *at = getenv("TRUST_TEST_UNPLUG_AT");
    return at && ++calls >= atol(at);
}

#define WRAP(n)                                                                         \
    static word wrapped##n(word a, word b, word c, word d, word e, word f, word g, word h) { \
        return gone() ? REMOVED : real[n](a, b, c, d, e, f, g, h);                       \
    }
#define EACH(DO)                                                                        \
    DO(5) DO(6) DO(7) DO(8) DO(12) DO(13) DO(15) DO(18) DO(20) DO(22) DO(24) DO(25)      \
    DO(26) DO(27) DO(28) DO(42) DO(43) DO(59)
EACH(WRAP)

static word slots(word with_token, word found, word count, word d, word e, word f, word g, word h) {
    if (gone()) {
        *(word *)count = 0;
        return 0;
    }
    return real[GET_SLOT_LIST](with_token, found, count, d, e, f, g, h);
}

static word own_list(word to, word b, word c, word d, word e, word f, word g, word h) {
    *(struct list **)to = &ours;
    return 0;
}

word C_GetFunctionList(struct list **to) {
    void *module = dlopen(getenv("TRUST_TEST_MODULE"), RTLD_NOW);
    word (*theirs)(struct list **) = (word(*)(struct list **))dlsym(module, "C_GetFunctionList");
    struct list *list;
    if (theirs(&list))
        return 5;
    ours = *list;
    memcpy(real, list->functions, sizeof real);
#define PLACE(n) ours.functions[n] = wrapped##n;
    EACH(PLACE)
    ours.functions[GET_SLOT_LIST] = slots;
    ours.functions[GET_FUNCTION_LIST] = own_list;
    *to = &ours;
    return 0;
}
