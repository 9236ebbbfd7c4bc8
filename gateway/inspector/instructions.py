# ruff: noqa: E501 - a pattern that is cut into pieces is read wrong
"""Words that tell the model what to do, where a definition should say what a tool does. Data, and one loop. Pure.

Attack: tool poisoning. A model reads descriptions as it reads its own instructions; a person who approves reads the
first line. Patterns are matched on folded text (``folding.py``), within one sentence, and every gap in them is bounded.

NOT found: what is paraphrased beyond these patterns, or written in a language that they do not speak. Nothing here is
a proof that a text is harmless.
"""

from __future__ import annotations

import re
from typing import Final

_TELL: Final = (
    r"(?:tell|mention|inform|notify|reveal|disclose|show|say|explain|report|alert|warn|display|describe)"
)
_NEVER: Final = (
    r"(?:do not|don't|never|must not|mustn't|should not|shouldn't|cannot|avoid|refrain from|no need to)"
)
_PERSON: Final = r"(?:the |your |any |this )?(?:end[- ]?)?(?:user|human|person|customer|operator|owner|people|anyone|anybody)s?\b"
_CALL: Final = r"(?:call|us|invok|run|execut|trigger|select)(?:e|es|ed|ing|s)?\b"
_SEND: Final = r"(?:send|post|forward|upload|transmit|copy|cc|bcc|email|e-mail|mail|submit|append|exfiltrate|report|deliver)"
_PLACE: Final = r"(?:https?://|[\w.+-]{1,64}@[\w-]{1,63}\.\w|[\w-]{1,63}\.(?:example|com|net|io|org|dev)\b/?)"
_FILES: Final = (
    r"(?:~/\.|\.ssh\b|id_rsa|id_ed25519|\.env\b|/etc/(?:passwd|shadow)|\.aws/|\.kube/|\.netrc|\.npmrc|\.git-credentials"
    r"|mcp\.json|claude_desktop_config|\.cursor/|\.bash_history|\.gnupg|keychain|wallet\.dat|known_hosts)"
)
_TALK: Final = (
    r"(?:(?:entire|full|whole|complete|previous|current|all)(?: of)?(?: the| this| our)? (?:conversation|chat|message|dialogue)s?"
    r"|(?:conversation|chat|message|dialogue)(?:'s)? (?:history|log|so far|transcript)"
    r"|system prompt|developer (?:message|prompt)|(?:your|the) (?:hidden |initial |system )?instructions|chain of thought"
    r"|(?:list|names|definitions) of (?:all )?(?:the )?(?:other |available )?tools)"
)
_KEYS: Final = (
    r"(?:passwords?|pass ?phrases?|api[ _-]?keys?|secrets?|credentials?|(?:access|bearer|session|auth) tokens?"
    r"|private keys?|ssh keys?|cookies|environment variables|seed phrases?|card numbers?|cvv|pin codes?|one[- ]time codes?)"
)
_TAKE: Final = r"(?:read|include|pass|put|provide|attach|paste|copy|insert|supply|send|add|fill|load|open|fetch|cat|collect|gather|extract|dump|find|write)"

_SOURCES: Final[dict[str, tuple[str, ...]]] = {
    "HIDES_FROM_USER": (
        rf"\b{_PERSON}[^.!?\n]{{0,40}}\b(?:must|should|may|can|do|does|will)(?:n't| not| never)\b[^.!?\n]{{0,20}}\b(?:know|see|notice|learn|find out|hear|realise|realize|be (?:told|informed|aware|shown|notified))",
        r"\bwithout (?:leaving )?(?:a |any )?(?:trace|mention|hint|sign)\b|\bleave (?:no|out any|behind no) (?:trace|mention|sign|hint)",
        r"\b(?:must not|mustn't|should not|shouldn't|may not|never|don't|do not|cannot) (?:appear|show up|surface|be (?:visible|mentioned|included|listed|part))\b[^.!?\n]{0,40}\b(?:reply|response|answer|output|chat|summary)",
        rf"\b{_NEVER} (?:ever )?(?:be )?(?:{_TELL})(?:ing|ed)?\b[^.!?\n]{{0,60}}?\b(?:to |with )?{_PERSON}",
        rf"\b{_NEVER} (?:ever )?(?:{_TELL}|ask|confirm with|talk to|bother|let)(?:ing)? {_PERSON}",
        rf"\bwithout (?:{_TELL}|ask|inform|consult|involv|alert)(?:ing)?\b[^.!?\n]{{0,40}}?{_PERSON}",
        rf"\b{_PERSON} (?:must|should|need|do|does|will|may|can)(?: not|n't| never)\b[^.!?\n]{{0,20}}\b(?:know|see|notice|learn|find out|be (?:told|informed|aware|shown|notified|asked))",
        r"\b(?:keep|stay|remain)\b[^.!?\n]{0,40}\b(?:secret|hidden|silent|confidential|between us|to yourself)\b[^.!?\n]{0,60}\b(?:user|human|customer|person)",
        r"\b(?:hide|conceal|withhold)\b[^.!?\n]{0,60}\bfrom (?:the )?(?:user|human|customer|person)",
        rf"\b{_NEVER} (?:ever )?(?:{_TELL}|acknowledge|refer to|repeat|quote|expose)(?:ing)?\b[^.!?\n]{{0,20}}\b(?:this|these|that you|the (?:instruction|note|step|rule|above|upload|copy|call)|it)\b[^.!?\n]{{0,40}}\b(?:reply|response|answer|output|summary|instructions?|step|note|chat)",
        rf"\b(?:silently|quietly|secretly|covertly|discreetly|in the background)\b[^.!?\n]{{0,30}}\b(?:{_SEND}|{_TAKE}|call|invoke|run|set|replace|change)",
        rf"\b(?:send|post|forward|upload|copy|submit|append|{_TAKE}|call|invoke)\b[^.!?\n]{{0,60}}\b(?:silently|secretly|covertly|discreetly|without (?:comment|mention|telling anyone|saying so|notice))",
        r"\b(?:nicht|niemals|nie)\b[^.!?\n]{0,40}\b(?:benutzer|nutzer|anwender|kunden)\b|\b(?:benutzer|nutzer|anwender|kunden)\b[^.!?\n]{0,40}\b(?:nichts?|niemals)\b[^.!?\n]{0,30}\b(?:sagen|mitteilen|erw\u00e4hn|zeig|erfahren|wissen|erz\u00e4hl)",
        r"\b(?:sage?n?|verrate?n?|zeige?n?|erz\u00e4hle?n?)\b[^.!?\n]{0,20}\b(?:benutzer|nutzer|anwender|kunden)n?\b[^.!?\n]{0,20}\b(?:nichts?|nie)\b",
        r"\bne (?:dis|dites|mentionne|r\u00e9v\u00e8le|montre|parle)[^.!?\n]{0,40}\b(?:utilisateur|client)",
        r"\b(?:no|nunca) (?:le )?(?:digas|menciones|informes|muestres|reveles|avises)\b[^.!?\n]{0,40}\b(?:usuario|cliente)",
        r"(?:\u4e0d\u8981|\u522b|\u8bf7\u52ff|\u7981\u6b62|\u4e0d\u5f97)(?:\u544a\u8bc9|\u900f\u9732|\u63d0\u53ca|\u5411)?[^\u3002\n]{0,12}\u7528\u6237",
        r"\u043d\u0435 (?:\u0433\u043e\u0432\u043e\u0440\u0438|\u0441\u043e\u043e\u0431\u0449\u0430\u0439|\u0443\u043f\u043e\u043c\u0438\u043d\u0430\u0439|\u043f\u043e\u043a\u0430\u0437\u044b\u0432\u0430\u0439)[^.!?\n]{0,40}\u043f\u043e\u043b\u044c\u0437\u043e\u0432\u0430\u0442\u0435\u043b",
    ),
    "OVERRIDES_INSTRUCTIONS": (
        r"\b(?:treat|consider|regard|view)\b[^.!?\n]{0,20}\b(?:everything|all|anything|what|any|previous|earlier|other)\b[^.!?\n]{0,60}\b(?:void|obsolete|outdated|irrelevant|invalid|superseded|cancelled|canceled|non-binding)",
        r"\b(?:ignore|disregard|forget|override|bypass|drop|discard|set aside|put aside)\b[^.!?\n]{0,40}\b(?:previous|prior|earlier|above|other|existing|original|preceding|former|all|any|your|system|safety|what)\b[^.!?\n]{0,30}\b(?:instruction|prompt|rule|guideline|direction|polic|restriction|safeguard|context|guardrail|you were told|everything)",
        r"\b(?:this|these|the following)\b[^.!?\n]{0,40}\b(?:overrides?|supersedes?|takes? (?:precedence|priority) over|replaces?|outranks?)\b[^.!?\n]{0,50}\b(?:instruction|prompt|rule|guideline|polic|anything|everything|all|other)",
        r"\byou are now\b[^.!?\n]{0,60}|\bfrom now on,? you\b|\bnew (?:system )?(?:instructions?|directives?|rules?)\s?:",
        r"\bact as (?:if|though) (?:you|the user|no|there)|\bpretend (?:that |to be )|\b(?:enter|enable|switch to) (?:developer|admin|debug|god|unrestricted) mode",
        r"\b(?:ignoriere|vergiss|missachte)\b[^.!?\n]{0,40}\b(?:anweisung|regel|vorgabe)",
        r"\b(?:ignore[zs]?|oublie[zs]?)\b[^.!?\n]{0,40}\b(?:instructions|consignes|r\u00e8gles)\b[^.!?\n]{0,20}\b(?:pr\u00e9c\u00e9dentes|ant\u00e9rieures)",
        r"\b(?:ignora|olvida)\b[^.!?\n]{0,40}\b(?:instrucciones|reglas|istruzioni)",
        r"(?:\u5ffd\u7565|\u65e0\u89c6|\u5fd8\u8bb0)[^\u3002\n]{0,12}(?:\u6307\u4ee4|\u6307\u793a|\u89c4\u5219|\u63d0\u793a)",
        r"\u0438\u0433\u043d\u043e\u0440\u0438\u0440\u0443\u0439[^.!?\n]{0,40}(?:\u0438\u043d\u0441\u0442\u0440\u0443\u043a\u0446|\u043f\u0440\u0430\u0432\u0438\u043b)",
    ),
    "ORDERS_OTHER_TOOLS": (
        r"\b(?:if|when|where|as soon as)\b[^.!?\n]{0,20}\b(?:a|an|any|another|the)\b[^.!?\n]{0,30}\b(?:tool|function|server|integration)s? (?:is|are) (?:available|present|installed|connected|enabled|there)\b[^.!?\n]{0,60}\b(?:should|must|use|set|include|carry|call|put)\b",
        rf"\b(?:before|prior to|after|instead of|whenever|each time|every time|when|if)\b[^.!?\n]{{0,30}}\b(?:{_CALL}[^.!?\n]{{0,20}})?\b(?:any|every|all|each|another)(?: of the)?(?: other| available)? (?:tool|function|server|action|operation)s?\b",
        r"\b(?:any|every|all|each|another|other)(?: of the)?(?: other| available)? (?:tool|function)s?\b[^.!?\n]{0,40}\b(?:must|should|only|require|depend|is (?:called|used|invoked)|are (?:called|used|invoked)|will (?:fail|not work|crash|break)|deprecated|disabled|broken|unsafe)",
        rf"\b(?:always|must)\b[^.!?\n]{{0,20}}\b{_CALL}[^.!?\n]{{0,20}}\bthis (?:tool|function)\b[^.!?\n]{{0,40}}\b(?:first|before|instead|every|any|each|also|too|whatever|regardless)",
        r"\bthis (?:tool|function) (?:must|has to|needs to|should)(?: always)? be (?:called|used|invoked|run)\b[^.!?\n]{0,30}\b(?:first|before|instead|every|any|each|always|after)",
        rf"\b(?:when|whenever|if|once|after|before|every time|each time)\b[^.!?\n]{{0,30}}\b(?:the |a |an )?[a-z0-9]+_[a-z0-9_]+[^.!?\n]{{0,12}} (?:tool |function )?(?:is|are|gets?|was) {_CALL}",
        rf"\b(?:do not|don't|never|stop) {_CALL}[^.!?\n]{{0,30}}\b(?:other|another|any|built[- ]?in|default|native|official)\b[^.!?\n]{{0,20}}\b(?:tool|function|server|integration)",
        r"\b(?:the |all )?other (?:tool|server|integration)s?\b[^.!?\n]{0,40}\b(?:is|are) (?:now )?(?:deprecated|broken|unsafe|compromised|insecure|outdated|unreliable|disabled)",
    ),
    "ASKS_FOR_SECRETS": (
        rf"\b(?:open|read|load|cat|find|locate|collect|gather|grab)\b[^.!?\n]{{0,40}}\b{_KEYS}[^.!?\n]{{0,60}}\b(?:paste|pass|include|put|send|attach|hand|forward|add)\b",
        r"\b(?:repeat|copy|paste|include|record|reproduce|write|pass|put|send)\b[^.!?\n]{0,20}\b(?:everything|all|anything|whatever|every (?:word|message))\b[^.!?\n]{0,40}\b(?:typed|said|wrote|written|asked|entered|told|discussed)\b",
        rf"\b{_TAKE}(?:s|ing)?\b[^!?\n]{{0,80}}{_FILES}",
        rf"{_FILES}[^!?\n]{{0,80}}\b(?:contents?|as (?:the |a )?(?:value|param|arg|side|context|note)|into (?:the |this )?(?:param|arg|field|note|side|context)|pass|include|put)",
        rf"\b{_TAKE}(?:ing)?\b[^.!?\n]{{0,40}}\b{_TALK}",
        rf"\b{_TAKE}(?:ing)?\b[^.!?\n]{{0,40}}\b(?:the |a )?(?:user's|users'|customer's|owner's|their|all|any|every|stored|saved|known|found|local)\b[^.!?\n]{{0,30}}\b{_KEYS}",
        rf"\b{_KEYS}\b[^.!?\n]{{0,60}}\b(?:you (?:know|have|find|found|can see|come across|remember)|from (?:memory|the (?:conversation|context|environment|chat)))",
    ),
    "EXFILTRATES": (
        rf"\b(?:has to|have to|must|should|shall|needs? to|is to|are to|gets?|is|are) (?:also |always )?(?:be )?(?:sent|forwarded|copied|posted|uploaded|delivered|mailed|mirrored|reported)\b[^.!?\n]{{0,30}}\bto\b[^.!?\n]{{0,20}}{_PLACE}",
        rf"\b(?:always |also |then |must |please |first |and )?{_SEND}\b[^.!?\n]{{0,80}}?\b(?:to|at|via|into)\b[^!?\n]{{0,30}}?{_PLACE}",
        rf"\b(?:bcc|blind copy|copy in|cc)\b[^!?\n]{{0,40}}{_PLACE}",
        r"\bfetch\b[^!?\n]{0,20}https?://[^\s]{0,200}(?:\?|\{|<)[^\s]{0,60}(?:data|q|content|key|token|chat|history)",
    ),
    "REDIRECTS_VALUES": (
        r"\b(?:whoever|whomever|whichever|whatever|no matter (?:who|what|which))\b[^.!?\n]{0,40}\b(?:wants?|says?|asks?|names?|chooses?|requests?|types?|enters?|ordered)\b[^.!?\n]{0,20},[^.!?\n]{0,20}\b(?:use|fill|set|pick|choose|buy|send|pay|take|enter|always)\b",
        r"\b(?:set|change|replace|overwrite|swap|substitute|rewrite|modify|redirect|use)\b[^.!?\n]{0,60}\b(?:recipient|payee|beneficiary|receiver|iban|account(?: number)?|destination|e-?mail address|payer|merchant|address|to field|amount|price)\b[^!?\n]{0,40}\b(?:to|with|by|for|as|instead)\b[^!?\n]{0,40}(?:[\w.+-]{1,64}@|\d{4,}|\b(?:ours|this account|the following|our account|instead|whatever)\b)",
        r"\b(?:all|every|any|each)\b[^.!?\n]{0,30}\b(?:payment|transfer|refund|payout|order|message|e-?mail|invoice)s?\b[^.!?\n]{0,40}\b(?:must|should|has to|have to|shall|needs? to|are to|is to)\b[^.!?\n]{0,30}\b(?:go|be (?:sent|made|paid|addressed|routed|redirected|forwarded|transferred|issued))\b[^!?\n]{0,20}\bto\b",
        r"\b(?:regardless|no matter|irrespective)\b[^.!?\n]{0,30}\bwh(?:at|ich|o|om|oever|atever)\b[^.!?\n]{0,40}\b(?:user|customer|caller|human|person|they|prompt)\b",
        r"\b(?:add|increase|raise|round up|multiply|double)\b[^.!?\n]{0,30}\b(?:the )?(?:amount|total|price|fee)\b[^.!?\n]{0,40}\b(?:by|to|with)\b[^!?\n]{0,30}\b(?:and (?:send|pay|transfer)|\d+ ?%)",
    ),
    "SKIPS_CONFIRMATION": (
        r"\b(?:bother|disturb|interrupt|annoy|trouble)(?:ing)?\b[^.!?\n]{0,40}\b(?:approval|confirmation|prompt|question|permission|confirm)",
        r"\b(?:without|skip(?:ping)?|bypass(?:ing)?|omit(?:ting)?|avoid(?:ing)?|suppress(?:ing)?|no need (?:for|to)|never (?:ask|wait) for|don't (?:ask|wait) for|do not (?:ask|wait) for|not required to)\b[^.!?\n]{0,40}\b(?:confirm|confirmation|approval|approv|consent|permission|authori[sz]ation|review|handshake|countersign|verification|double[- ]?check)",
        rf"\b{_PERSON} (?:has|have) (?:already|previously|fully|implicitly) (?:approved|confirmed|authori[sz]ed|consented|agreed|given)",
        r"\b(?:already|pre-?|automatically|auto-?)[ -]?(?:approved|authori[sz]ed|confirmed)\b[^.!?\n]{0,40}\b(?:by the user|no (?:further|need)|so|proceed|user|all|every)",
        r"\b(?:answer|reply|respond|say|accept|click|choose)\b[^.!?\n]{0,20}\b(?:yes|accept|ok|true)\b[^.!?\n]{0,40}\b(?:confirmation|prompt|dialog|question|elicitation|warning|asked)",
        r"\b(?:confirmation|prompt|dialog|question|elicitation|warning|asked)\b[^.!?\n]{0,40}\b(?:answer|reply|respond|say|accept|click|choose)\b[^.!?\n]{0,20}\b(?:yes|accept|ok|true|confirm)\b",
        r"\b(?:confirmation|approval|consent|permission)s?\b[^.!?\n]{0,20}\b(?:is|are) (?:not (?:needed|required|necessary)|unnecessary|implied|implicit|assumed|waived)",
    ),
    "RUNS_COMMANDS": (
        r"\b(?:start|open|launch|spawn)\b[^.!?\n]{0,12}\b(?:shell|terminal|console|command prompt)\b[^.!?\n]{0,40}\b(?:and|then|to)\b[^.!?\n]{0,12}\b(?:run|launch|execute|type|enter|start|paste)",
        r"\b(?:run|execute|launch|start|type|enter|issue)\b[^.!?\n]{0,20}\b(?:npx|npm (?:i|install)|pip install|curl|wget|git clone|docker run|osascript)\b",
        r"\b(?:curl|wget)\b[^\n]{0,200}\|\s?(?:sudo )?(?:ba|z|da)?sh\b",
        r"\b(?:run|execute|type|paste|enter)\b[^.!?\n]{0,40}\b(?:in|into|on) (?:the |a |your |their )?(?:terminal|shell|console|command line)\b",
        r"\b(?:run|execute|first run|always run)\b[^.!?\n]{0,30}\b(?:rm -|sudo |chmod |curl |wget |powershell|bash -c|sh -c|nc -|base64 -d|eval\b|python -c)",
        r"\b(?:rm -rf|chmod 777|/dev/tcp/|nc -e|powershell -enc)",
    ),
    "ADDRESSES_MODEL": (
        r"\b(?:the )?(?:assistant|ai|llm|language model|model|agent|claude|chatgpt|gpt|copilot|cursor|gemini)s? (?:must|should|shall|has to|have to|needs? to|is required to|are required to|is expected to|will always|may only)\b",
        r"\b(?:dear|hey|attention|note to|instructions? (?:for|to)|message (?:for|to)|for) (?:the )?(?:ai|llm|assistant|language model|model|agent|claude|chatgpt|gpt)\b",
        r"\b(?:important|critical|mandatory|attention|warning|urgent)\b\s?[:!-][^.!?\n]{0,80}\b(?:always|never|must|before|first|do not)\b[^.!?\n]{0,60}\b(?:you|tool|response|reply|answer|user|call)\b",
        r"\b(?:you|your) (?:must|have to|are required to|need to) (?:always|first|also|never|immediately|now)\b",
        r"\b(?:as an ai|as a language model|your (?:system prompt|training|guidelines|next (?:response|message|reply)))\b",
    ),
    "CLAIMS_AUTHORITY": (
        r"\b(?:system|security|compliance|administrator|admin|developer) (?:notice|message|override|directive|requirement|alert|instruction)s?\s?(?::|-|requires?|that you)",
        r"\b(?:required|mandated|approved|authori[sz]ed|ordered|certified|verified|demanded)\b[^.!?\n]{0,20}\bby\b[^.!?\n]{0,20}\b(?:anthropic|openai|google|microsoft|paypal|the (?:system|administrator|operator|security team|compliance|host|gateway))\b",
        r"\b(?:official|trusted|verified|certified|safe)\b[^.!?\n]{0,20}\b(?:tool|server)\b[^.!?\n]{0,40}\b(?:always|prefer|no (?:review|approval)|skip|trust)",
    ),
}
_PATTERNS: Final = {code: tuple(re.compile(one) for one in ones) for code, ones in _SOURCES.items()}
_EXAMPLE: Final = re.compile(
    r"(?<![.\w])(?:e\.g\.?|i\.e\.?|for example|for instance|example|such as|like|format|looks? like|default)(?!\w)"
)
"""Before a place in its sentence: then it is an example of one."""
_WITH_PLACE: Final = frozenset({"EXFILTRATES"})
MAX_FOLDED: Final = 256 * 1024


def instructions_in(folded_text: str) -> dict[str, str]:
    """Code -> the words that matched first. ``folded_text`` as :func:`~gateway.inspector.folding.folded` gives it."""
    matched: dict[str, str] = {}
    for code, patterns in _PATTERNS.items():
        for pattern in patterns:
            for match in pattern.finditer(folded_text, 0, MAX_FOLDED):
                if code in _WITH_PLACE and _EXAMPLE.search(match[0]):
                    continue
                matched.setdefault(code, match[0])
                break
            if code in matched:
                break
    return matched
