"""The 碰头会 pack: gathered from a release and the ledger, written as PPTX, DOCX, PDF and HTML, checked before it is handed
out. Packs are official Chinese texts and are not translated.
"""
